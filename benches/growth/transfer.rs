//! A transfer of any size.

/// As printed in the documentation, 0.7 KB.
const TRANSFER: &str = include_str!("../../tests/fixtures/aella/transfer.completed.json");

/// A transfer with an id of its own, and of so many bytes, or of 0.7 KB where that is more. What is longer has a member
/// that no type knows: a list of small objects.
pub(crate) fn transfer(number: usize, bytes: usize) -> String {
    const BEFORE: &str = "\"createdAt\"";
    let mut items = String::new();
    let mut item = String::new();
    for at in 0.. {
        item.clear();
        let (quantity, price) = (at % 9 + 1, at * 25 % 99_000);
        item.push_str(if at == 0 { "\"items\": [" } else { ", " });
        item.push_str(&format!("{{\"sku\": \"A-{at:06}\", \"name\": \"Item on the invoice\", "));
        item.push_str(&format!("\"quantity\": {quantity}, \"price\": {price}, \"taxed\": true}}"));
        if TRANSFER.len() + items.len() + item.len() > bytes {
            break;
        }
        items.push_str(&item);
    }
    if !items.is_empty() {
        items.push_str("],\n    ");
    }
    let renamed = TRANSFER.replacen("7b129bdd", &format!("{number:08x}"), 1);
    renamed.replacen(BEFORE, &(items + BEFORE), 1)
}
