//! The names of Mambu's events.
//!
//! A webhook carries no name of its own: only the author of a template can put one into the body or a static header,
//! and [`event_at`](super::Mambu::event_at) says where. The first names are those of the published API enum
//! (<https://docs.mambu.com/api/api-v2/templates/schemas/webhooktemplateconfiguration/>), as far as we could read it;
//! from [`CreditBalanceDeposit`](EventName::CreditBalanceDeposit) on they are second hand, from an audit of those docs.

use crate::event::words::words;

words! {
    /// What a notification is about.
    EventName {
        /// No event: the template is switched off.
        DoNothing "DO_NOTHING",
        /// Nothing happened; somebody sent it by hand.
        Manual "MANUAL",
        /// A client was created.
        ClientCreated "CLIENT_CREATED",
        /// A client was approved.
        ClientApproved "CLIENT_APPROVED",
        /// A client was rejected.
        ClientRejected "CLIENT_REJECTED",
        /// Something happened to a client.
        ClientActivity "CLIENT_ACTIVITY",
        /// A group was created.
        GroupCreated "GROUP_CREATED",
        /// Something happened to a group.
        GroupActivity "GROUP_ACTIVITY",
        /// A loan was created.
        LoanCreated "LOAN_CREATED",
        /// An interest rate changed.
        InterestRateChanged "INTEREST_RATE_CHANGED",
        /// A loan was repaid in part or whole.
        LoanRepayment "LOAN_REPAYMENT",
        /// A repayment was reversed.
        LoanRepaymentReversal "LOAN_REPAYMENT_REVERSAL",
        /// A fee was applied.
        FeeApplied "FEE_APPLIED",
        /// A fee was adjusted.
        FeeAdjusted "FEE_ADJUSTED",
        /// A fee was charged.
        FeeCharged "FEE_CHARGED",
        /// Fees due were reduced.
        FeesDueReduced "FEES_DUE_REDUCED",
        /// A reduction of fees was adjusted.
        FeeReductionAdjustment "FEE_REDUCTION_ADJUSTMENT",
        /// A penalty was applied.
        PenaltyApplied "PENALTY_APPLIED",
        /// A penalty was adjusted.
        PenaltyAdjustment "PENALTY_ADJUSTMENT",
        /// A loan was approved.
        LoanApproval "LOAN_APPROVAL",
        /// A loan account was closed.
        LoanAccountClosure "LOAN_ACCOUNT_CLOSURE",
        /// A loan account was written off.
        LoanAccountWriteOff "LOAN_ACCOUNT_WRITE_OFF",
        /// A loan account was rejected.
        LoanAccountRejection "LOAN_ACCOUNT_REJECTION",
        /// A loan account was rescheduled.
        LoanAccountRescheduled "LOAN_ACCOUNT_RESCHEDULED",
        /// A loan account was refinanced.
        LoanAccountRefinanced "LOAN_ACCOUNT_REFINANCED",
        /// A repayment falls due.
        RepaymentReminder "REPAYMENT_REMINDER",
        /// An account fell into arrears.
        AccountInArrears "ACCOUNT_IN_ARREARS",
        /// A loan was paid out.
        LoanDisbursement "LOAN_DISBURSEMENT",
        /// A disbursement was reversed.
        LoanDisbursementReversal "LOAN_DISBURSEMENT_REVERSAL",
        /// Something happened to a loan account.
        LoanAccountActivity "LOAN_ACCOUNT_ACTIVITY",
        /// A disbursement is expected.
        LoanAnticipatedDisbursement "LOAN_ANTICIPATED_DISBURSEMENT",
        /// A deposit account was created.
        SavingsCreated "SAVINGS_CREATED",
        /// Money was paid into a deposit account.
        SavingsDeposit "SAVINGS_DEPOSIT",
        /// A deposit was applied again.
        ReappliedSavingsDeposit "REAPPLIED_SAVINGS_DEPOSIT",
        /// A deposit was reversed.
        SavingsDepositReversal "SAVINGS_DEPOSIT_REVERSAL",
        /// A deposit account was approved.
        SavingsApproval "SAVINGS_APPROVAL",
        /// A deposit account was activated.
        SavingsAccountActivated "SAVINGS_ACCOUNT_ACTIVATED",
        /// A deposit account was closed.
        SavingsAccountClosure "SAVINGS_ACCOUNT_CLOSURE",
        /// A deposit account was rejected.
        SavingsAccountRejection "SAVINGS_ACCOUNT_REJECTION",
        /// Money was taken from a deposit account.
        SavingsWithdrawal "SAVINGS_WITHDRAWAL",
        /// A withdrawal was applied again.
        ReappliedSavingsWithdrawal "REAPPLIED_SAVINGS_WITHDRAWAL",
        /// A withdrawal was reversed.
        SavingsWithdrawalReversal "SAVINGS_WITHDRAWAL_REVERSAL",
        /// Something happened to a deposit account.
        SavingsAccountActivity "SAVINGS_ACCOUNT_ACTIVITY",
        /// Interest was applied to a deposit account.
        DepositInterestApplied "DEPOSIT_INTEREST_APPLIED",
        /// Applied interest was adjusted.
        DepositInterestAppliedAdjustment "DEPOSIT_INTEREST_APPLIED_ADJUSTMENT",
        /// An account authorisation hold was created.
        AccountAuthorisationHoldCreated "ACCOUNT_AUTHORISATION_HOLD_CREATED",
        /// An account authorisation hold was settled.
        AccountAuthorisationHoldSettled "ACCOUNT_AUTHORISATION_HOLD_SETTLED",
        /// A card authorisation hold was created.
        CardsAuthorisationHoldCreated "CARDS_AUTHORISATION_HOLD_CREATED",
        /// Card holds were created in bulk.
        CardsAuthorisationHoldInBulkCreated "CARDS_AUTHORISATION_HOLD_IN_BULK_CREATED",
        /// A card authorisation hold was settled.
        CardsAuthorisationHoldSettled "CARDS_AUTHORISATION_HOLD_SETTLED",
        /// The amount of a card hold was decreased.
        CardsAuthorisationHoldAmountDecreased "CARDS_AUTHORISATION_HOLD_AMOUNT_DECREASED",
        /// Money was paid into a credit balance.
        CreditBalanceDeposit "CREDIT_BALANCE_DEPOSIT",
        /// An account authorisation hold was reversed.
        AccountAuthorisationHoldReversed "ACCOUNT_AUTHORISATION_HOLD_REVERSED",
        /// A credit arrangement was created.
        CreditArrangementCreated "CREDIT_ARRANGEMENT_CREATED",
        /// A credit arrangement was approved.
        CreditArrangementApproved "CREDIT_ARRANGEMENT_APPROVED",
        /// A credit arrangement was rejected.
        CreditArrangementRejected "CREDIT_ARRANGEMENT_REJECTED",
        /// A credit arrangement was withdrawn.
        CreditArrangementWithdrawn "CREDIT_ARRANGEMENT_WITHDRAWN",
        /// A credit arrangement was closed.
        CreditArrangementClosed "CREDIT_ARRANGEMENT_CLOSED",
        /// A credit arrangement was deleted.
        CreditArrangementDeleted "CREDIT_ARRANGEMENT_DELETED",
        /// A credit arrangement was edited.
        CreditArrangementEdited "CREDIT_ARRANGEMENT_EDITED",
        /// An account was added to a credit arrangement.
        CreditArrangementAccountAdded "CREDIT_ARRANGEMENT_ACCOUNT_ADDED",
        /// An account was removed from a credit arrangement.
        CreditArrangementAccountRemoved "CREDIT_ARRANGEMENT_ACCOUNT_REMOVED",
        /// A journal entry was added.
        JournalEntryAdded "JOURNAL_ENTRY_ADDED",
        /// A journal entry was adjusted.
        JournalEntryAdjusted "JOURNAL_ENTRY_ADJUSTED",
        /// The end of day was processed.
        EndOfDayProcessingCompleted "END_OF_DAY_PROCESSING_COMPLETED",
        /// The holidays were synchronised.
        HolidaySyncCompleted "HOLIDAY_SYNC_COMPLETED",
        /// A portal was activated.
        PortalActivated "PORTAL_ACTIVATED",
        /// A portal password was reset.
        PortalPasswordReset "PORTAL_PASSWORD_RESET",
        /// Something happened to a payment order.
        PaymentOrderActivity "PAYMENT_ORDER_ACTIVITY",
        /// Something happened to a collection order.
        CollectionOrderActivity "COLLECTION_ORDER_ACTIVITY",
        /// The state of a data access changed.
        DataAccessStateChanged "DATA_ACCESS_STATE_CHANGED",
        /// A refund that only goes forward.
        RefundForwardOnly "REFUND_FORWARD_ONLY",
    }
}
