//! The text of a bill.

use wechatpay_chain::bill::rows;

pub(crate) fn run(data: &[u8]) {
    let Ok(mut rows) = rows(data) else { return };
    let columns = rows.names().len();
    let (mut total, mut failed) = (0, false);
    for row in &mut rows {
        match row {
            Ok(row) => {
                assert_eq!(row.fields().len(), columns);
                assert_eq!(row.names().len(), columns);
                total += row.fields().iter().map(String::len).sum::<usize>();
            }
            Err(_) => failed = true,
        }
    }
    assert!(total <= data.len(), "more text came out than went in");
    assert_eq!(rows.summary().is_none(), failed, "a bill ends with its summary or with an error");
    assert!(rows.next().is_none());
}
