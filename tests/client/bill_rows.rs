//! The text of bills: forms that differ between products and years, files that are not bills, files that were cut, and
//! bounds. The rows are written out by hand from the platform's pages; the reader's own rules are not used.

use std::io::{self, Read};

use wechatpay_chain::Error;
use wechatpay_chain::bill::{Record, rows};

/// Rows, summary, and the error that ended them.
fn read(bill: &[u8]) -> (Vec<Record>, Option<Record>, Option<String>) {
    let mut rows = match rows(bill) {
        Ok(rows) => rows,
        Err(error) => return (Vec::new(), None, Some(error.to_string())),
    };
    let (mut records, mut error) = (Vec::new(), None);
    for row in &mut rows {
        match row {
            Ok(record) => records.push(record),
            Err(e) => error = Some(e.to_string()),
        }
    }
    (records, rows.summary().cloned(), error)
}

fn fields(bill: &str) -> Vec<Vec<String>> {
    let (records, summary, error) = read(bill.as_bytes());
    assert!(error.is_none() && summary.is_some(), "{bill:?}: {error:?}, {summary:?}");
    records.iter().map(|record| record.fields().to_vec()).collect()
}

#[track_caller]
fn refused(bill: impl AsRef<[u8]>, says: &[&str]) {
    let bill = bill.as_ref();
    let (_, summary, error) = read(bill);
    let shown = String::from_utf8_lossy(&bill[..bill.len().min(200)]);
    let error = error.unwrap_or_else(|| panic!("read without an error: {shown:?}"));
    for says in says {
        assert!(error.contains(says), "{error:?} does not say {says:?}: {shown:?}");
    }
    assert!(summary.is_none(), "a summary after an error: {summary:?}");
}

const SUMMARY: &str = "总条数,总金额\r\n`1,`1.00\r\n";

/// Which columns lack the backquote: a flag for each of four columns. Read if there is no comma inside a field, or if
/// every field has its backquote; otherwise an error.
#[test]
fn every_combination_of_missing_backquotes_and_commas() {
    let values = ["甲", "乙", "丙", "丁"];
    for bare in 0..16_u32 {
        for comma in 0..=4 {
            let mut expected: Vec<String> = values.map(str::to_owned).to_vec();
            if let Some(field) = expected.get_mut(comma) {
                field.push_str(",x");
            }
            let is_bare = |at: usize| bare & (1 << at) != 0;
            let row: Vec<String> = expected
                .iter()
                .enumerate()
                .map(|(at, field)| if is_bare(at) { field.clone() } else { format!("`{field}") })
                .collect();
            if bare == 15 {
                continue; // the test of rows without any backquote
            }
            let bill = format!("a,b,c,d\r\n{}\r\n{SUMMARY}", row.join(","));
            if bare == 0 || comma == 4 {
                assert_eq!(fields(&bill), [expected], "{bill}");
            } else {
                refused(&bill, &["line 2", "5 fields", "4 columns", "backquote"]);
            }
        }
    }
}

#[test]
fn a_comma_and_a_backquote_inside_a_field() {
    refused(format!("a,b\n`1,`2\n`茶,`绿,`2\n{SUMMARY}"), &["3 fields in line 3", "comma and a backquote"]);
    refused(format!("a,b\n`茶, `绿,`2\n{SUMMARY}"), &["3 fields in line 2"]);
    // A backquote inside a field, and two at its beginning.
    assert_eq!(fields(&format!("a,b\n`x`y,``2\n{SUMMARY}")), [["x`y", "`2"]]);
    // Blanks in front of a backquote mean nothing.
    assert_eq!(fields(&format!("a, b\n`1, `2\n{SUMMARY}")), [["1", "2"]]);
}

#[test]
fn rows_without_any_backquote() {
    for bill in [
        "时间,金额,备注\n2026-11-20 08:00:00,1.00,a\n2026-11-20 09:00:00,2.00,b\n",
        "时间,金额\n2026-11-20 08:00:00,1.00\n总条数,总金额\n1,1.00\n",
        "openid,金额\no1,1.00\no2,2.00\n总条数,总金额\n2,3.00\n",
        "金额,openid\n-1.00,o1\n`2.00,`o2\n",
        "时间,金额\n`2026-11-20 08:00:00,`1.00\n2026-11-20 09:00:00,2.00\n总条数,总金额\n`2,`3.00\n",
        "时间,金额\n总条数,总金额\n0,0.00\n",
        "时间,金额,时间\n,,\n`1,`2,`3\n",
    ] {
        refused(bill, &["backquote", "line"]);
    }
    assert_eq!(
        fields(&format!("时间,号,额\n2026-11-20,`P1,`1.00\n{SUMMARY}")),
        [["2026-11-20", "P1", "1.00"]]
    );
}

#[test]
fn a_bill_that_is_cut_anywhere_is_an_error() {
    let bill = "\u{feff}时间,名称,金额\r\n`1,`茶, 绿,`1.00\r\n`2,`,`-0.50\r\n总数,总额\r\n`2,`0.50\r\n";
    let whole = read(bill.as_bytes());
    assert_eq!((whole.0.len(), whole.1.is_some(), whole.2), (2, true, None));
    // The last value's digits and the line end after it cannot be missed: no format says that a line ends.
    let last_value = bill.rfind("`0.50").unwrap();
    for length in 0..=last_value {
        let (_, summary, error) = read(&bill.as_bytes()[..length]);
        let shown = String::from_utf8_lossy(&bill.as_bytes()[..length]);
        match bill[..last_value].len() == length {
            // `` `2, `` still has two pieces.
            true => assert!(error.is_some() || summary.is_some(), "{shown:?}"),
            false => assert!(error.is_some(), "cut after {length} bytes, read without an error: {shown:?}"),
        }
    }
    for (bill, says) in [
        ("a,b\n", "without its summary"),
        ("a,b", "without its summary"),
        ("a,b\n`1,`2\n", "after line 2"),
        ("a,b,c\n`1,`2", "cut: it ends after 2 of 3 fields in line 2"),
        ("a,b\n`1,`2\n总数,总额\n", "before its summary, after line 3"),
        ("a,b\n`1,`2\n总数,总额\n`1", "cut"),
    ] {
        refused(bill, &[says, "is cut"]);
    }
    refused(
        "a,b\n`1,`2\n总数,总额\n`1,`1\na,b\n`1,`2\n总数,总额\n`1,`1\n",
        &["after its summary, in line 5"],
    );
}

#[test]
fn files_that_are_not_bills() {
    let gzip = {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"a,b\n`1,`2\n").unwrap();
        encoder.finish().unwrap()
    };
    refused(gzip, &["gzip"]);
    for (bytes, says) in [
        (&br#"{"code":"NO_STATEMENT_EXIST","message":"x"}"#[..], "JSON"),
        (b"\n  [1, 2]", "JSON"),
        ("\u{feff}{\"hash_type\":\"SHA1\"}".as_bytes(), "JSON"),
        (b"<!DOCTYPE html><html></html>", "HTML or XML"),
        (b" <xml><return_code><![CDATA[FAIL]]></return_code></xml>", "HTML or XML"),
        (b"PK\x03\x04\x14\x00", "ZIP"),
        (b"%PDF-1.4\n", "PDF"),
        (b"\xff\xfea\x00,\x00", "UTF-16"),
        (b"a\x00,\x00b\x00\n\x00", "line 1"),
        (b"\xbd\xbb\xd2\xd7,b\n`1,`2\n", "not UTF-8 (line 1)"),
        (b"a,b\n`1,`2\n`\xbd\xbb,`2\n", "not UTF-8 (line 3)"),
        (b"a,b\n`1,`2\nc\n`1\n\xff\n", "not UTF-8 (line 5)"),
        (b"", "empty"),
        (b"\r\n \r\n", "empty"),
        (b"#title\r\n", "empty"),
        (b"`1,`2\n", "begins with a row in line 1"),
        (b"2026-11-20,1.00\n`1,`2\n", "header"),
        (b"a,,c\n`1,`2,`3\n", "header"),
        (b",,,,\n", "header"),
        (b"Bad Gateway", "summary"),
        // Line ends of CR alone.
        (b"a,b\r`1,`2\rc\r`1\r", "line 1"),
    ] {
        refused(bytes, &[says]);
    }
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    for end in ["\n", "\r\n"] {
        for (lines, at) in [
            (&["a,b", "`1,`2", "`1"][..], 3),
            (&["", "a,b", "", "`1,`2", "  ", "`1", ""], 6),
            (&["#t", "#u", "a,b", "`1,`2,`3"], 4),
            (&["a,b", "`1,`2", "总数", "`1", "", "", "`1"], 7),
        ] {
            refused(lines.join(end), &[&format!("line {at}")]);
        }
    }
}

#[test]
fn blanks_title_lines_and_byte_order_marks_mean_nothing() {
    let plain = fields(&format!("a,b\n`1,`2\n{SUMMARY}"));
    for bill in [
        "\u{feff}a,b\r\n`1,`2\r\n总条数,总金额\r\n`1,`1.00\r\n",
        "a , b \n`1,`2 \t\n总条数,总金额 \n`1,`1.00 \n   \n\n",
        "\n\n  a,b\n\n  `1,`2\n\n总条数,总金额\n\n`1,`1.00\n",
        "\u{feff}#微信支付交易账单\r\n#商户号:1900000109,,\r\n\r\na,b\r\n`1,`2\r\n总条数,总金额\r\n`1,`1.00\r\n#end\r\n",
        "#t\n\u{feff}a,b\n`1,`2\n总条数,总金额\n`1,`1.00",
    ] {
        assert_eq!(fields(bill), plain, "{bill:?}");
    }
    // An ideographic space is the merchant's own; so is a title line's sign inside the rows.
    assert_eq!(fields(&format!("a,b\n`#1,`茶\u{3000}\n{SUMMARY}")), [["#1", "茶\u{3000}"]]);
    refused("a,b\n`1,`2\n#商户号:1\n`1,`2\n", &["line"]);
}

#[test]
fn escapes_come_out_as_they_went_in() {
    for (written, meant) in [
        (r"line1\nline2", "line1\nline2"),
        (r"a\r\nb", "a\r\nb"),
        (r"茶\ 绿\ 红", "茶,绿,红"),
        (r"茶\ ", "茶,"),
        (r"C:\temp", r"C:\temp"),
        (r"a\\nb", r"a\\nb"),
        (r"end\", r"end\"),
        (r"\ , 绿\n", ",, 绿\n"),
    ] {
        // In the middle and as the last field, where blanks are cut off.
        let bill = format!("a,b,c\n`1,`{written},`{written}\n{SUMMARY}");
        assert_eq!(fields(&bill), [["1", meant, meant]], "{written}");
    }
}

/// Endless input, of which only so much may be asked for.
struct Endless {
    piece: &'static [u8],
    left: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.piece.len());
        self.left = self.left.checked_sub(length).ok_or_else(|| io::Error::other("read on and on"))?;
        buffer[..length].copy_from_slice(&self.piece[..length]);
        Ok(length)
    }
}

#[test]
fn a_line_and_a_header_are_bounded() {
    for piece in [&b",,,,,,,,"[..], b"`,`,`,`,", b"aaaaaaaa", b"\0\0\0\0\0\0\0\0", b"a,b,c,d,"] {
        let start = std::io::Cursor::new(b"a,b\n`1,`2\n".to_vec());
        let error = rows(Endless { piece, left: 4 << 20 }).unwrap_err().to_string();
        assert!(error.contains("in line 1"), "{error}");
        let mut rows = rows(start.chain(Endless { piece, left: 4 << 20 })).unwrap();
        assert!(rows.next().unwrap().is_ok());
        let error = rows.next().unwrap().unwrap_err().to_string();
        assert!(error.contains("in line 3"), "{error}");
        assert!(rows.next().is_none());
    }
    let wide = |columns: usize| (0..columns).map(|at| format!("c{at}")).collect::<Vec<_>>().join(",");
    assert!(rows(wide(1000).as_bytes()).is_ok());
    refused(wide(1001), &["1001 columns", "line 1"]);
    refused(format!("a,b\n`1,`2{}\n{SUMMARY}", ",".repeat(300_000)), &["262144 commas, in line 2"]);
    // A long value is no reason to refuse a row.
    let long = "茶,".repeat(100_000);
    assert_eq!(fields(&format!("a,b\n`1,`{long}\n{SUMMARY}"))[0][1], long);
}

#[test]
fn a_reader_that_fails_is_an_error_of_the_callers_file() {
    let reader = std::io::Cursor::new(b"a,b\n".to_vec()).chain(Endless { piece: b"`1,`2\n", left: 3 });
    let Some(Err(Error::File(error))) = rows(reader).unwrap().next() else { panic!("not a File error") };
    assert!(!error.maybe_sent());
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "read on and on");
}

/// Gives so many bytes at a time, and is interrupted in between.
struct Slow<'a> {
    rest: &'a [u8],
    step: usize,
    interrupted: bool,
}

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = self.step.min(buffer.len()).min(self.rest.len());
        buffer[..length].copy_from_slice(&self.rest[..length]);
        self.rest = &self.rest[length..];
        Ok(length)
    }
}

#[test]
fn a_slow_reader_gives_the_same_rows() {
    let long = format!("a,b\r\n`{},`2\r\n\r\n{SUMMARY}", "茶,".repeat(5_000));
    let bills = [
        "\u{feff}#t\r\n时间,名称 \r\n`1 ,`茶, 绿\\ \r\n \r\n`2,`\r\n总数,总额\r\n`2,`0.50",
        &long,
        "a,b\n`1,`2\n\n\n`1\n",
        "a,b\n`1,`2\n`1",
    ];
    for bill in bills {
        let expected = read(bill.as_bytes());
        for step in [1, 2, 3, 7, 4096] {
            let mut rows = rows(Slow { rest: bill.as_bytes(), step, interrupted: false }).unwrap();
            let (mut records, mut error) = (Vec::new(), None);
            for row in &mut rows {
                match row {
                    Ok(record) => records.push(record),
                    Err(e) => error = Some(e.to_string()),
                }
            }
            assert_eq!((records, rows.summary().cloned(), error), expected, "{step}");
        }
    }
    // Files of another format are told, too, however they come.
    for (start, says) in [(&b"\x1f\x8b\x08"[..], "gzip"), (b"%PDF-1.4", "PDF"), (b"\xff\xfea", "UTF-16")] {
        let error = rows(Slow { rest: start, step: 1, interrupted: false }).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_comma_between_the_bytes_of_a_character_is_not_utf_8() {
    for row in [&b"`\xe8,\x8c\xb6"[..], b"`\xe8\x8c,\xb6", b"`1,\xb6"] {
        let bill = [b"a,b\n", row, b"\n", SUMMARY.as_bytes()].concat();
        refused(bill, &["not UTF-8 (line 2)"]);
    }
}
