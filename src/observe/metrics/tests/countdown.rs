//! How long until a provider switches off.

use super::*;

#[tokio::test(start_paused = true)]
async fn the_countdown_runs_while_events_fail_and_where_the_provider_switches_off() {
    let name = "webhook_deactivation_seconds receiver=r";
    let failed = Rejection::new(RejectionKind::HandlerFailed, "");
    for (fact, left) in [(Fact::Failed(&failed), 90.0), (Fact::Rejected(&failed), 90.0), (Fact::Handled, 100.0)] {
        let (metrics, kept) = begun();
        let after = Duration::from_secs(100);
        metrics.know("r", "opp", Known { switched_off_after: Some(after), ..Known::default() });
        metrics.know("s", "opp", Known::default());
        metrics.observe(&fact, &about("r", None));
        metrics.observe(&fact, &about("s", None));
        tokio::time::advance(Duration::from_secs(10)).await;
        // Read anew, the file says the same.
        metrics.know("r", "opp", Known { switched_off_after: Some(after), ..Known::default() });
        metrics.refresh();
        assert_eq!(kept.all().get(name), Some(&left), "{fact:?}");
        assert!(!kept.all().keys().any(|name| name.contains("deactivation_seconds receiver=s")), "{fact:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_ends_the_countdown_of_what_was_refused_or_failed_before() {
    let rejection = Rejection::new(RejectionKind::HandlerFailed, "");
    let all = Known::default().switched_off_after(Duration::from_secs(100));
    let left = |metrics: &Metrics, kept: &Kept| {
        metrics.refresh();
        kept.all()["webhook_deactivation_seconds receiver=r"]
    };
    for bad in [Fact::Failed(&rejection), Fact::Rejected(&rejection)] {
        let (metrics, kept) = begun();
        metrics.know("r", "opp", all.clone());
        metrics.observe(&Fact::Handled, &about("r", None));
        for taken in [Fact::Handled, Fact::Replayed, Fact::Stored { id: 7 }, Fact::Quarantined { id: 7 }] {
            metrics.observe(&bad, &about("r", None));
            tokio::time::advance(Duration::from_secs(10)).await;
            assert_eq!(left(&metrics, &kept), 90.0, "{bad:?}");
            metrics.observe(&taken, &about("r", None));
            assert_eq!(left(&metrics, &kept), 100.0, "{bad:?} {taken:?}");
        }
        // Another file, in which nothing switches off, and the first one again.
        metrics.observe(&bad, &about("r", None));
        metrics.know("r", "opp", Known::default());
        metrics.observe(&Fact::Handled, &about("r", None));
        metrics.know("r", "opp", all.clone());
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(left(&metrics, &kept), 100.0, "{bad:?}");
        metrics.observe(&bad, &about("r", None));
        metrics.know("r", "opp", all.clone());
        tokio::time::advance(Duration::from_secs(10)).await;
        metrics.observe(&Fact::Handled, &about("r", None));
        assert_eq!(left(&metrics, &kept), 100.0, "{bad:?}");
    }
}
