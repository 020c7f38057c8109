//! Cuts a text into what the index compares: units and terms.

/// Traditional characters and the simplified ones of the documents, in pairs.
pub(super) const TRADITIONAL: &str = "單单帳账賬账證证書书銷销戶户轉转錢钱紅红發发簽签約约綁绑領领訴诉調调貼贴補补員员會会費费掃扫碼码槍枪\
    預预開开關关閉闭訂订號号額额詢询餘余報报匯汇稅税醫医車车場场動动儲储條条對对請请結结狀状態态圖图傳传\
    視视頻频載载臉脸還还項项優优贈赠禮礼積积點点計计劃划風风險险違违規规處处罰罚懲惩賠赔償偿雙双離离進进\
    門门電电話话線线網网頁页覆复複复復复確确認认註注冊册銀银";

/// Cuts a text: Latin words in lower case and without their plural, each Chinese character; an empty unit between two
/// characters that do not stand together.
pub(super) fn units(text: &str) -> Vec<String> {
    let mut units = Vec::<String>::new();
    let (mut is_joined, mut was_small) = (false, false);
    for letter in text.chars() {
        let is_latin = letter.is_ascii_alphanumeric();
        // `closeOrder` is two words.
        is_joined &= !(was_small && letter.is_ascii_uppercase());
        was_small = letter.is_ascii_lowercase();
        if is_latin && is_joined && units.last().is_some_and(|last| last.is_ascii() && !last.is_empty()) {
            units.last_mut().into_iter().for_each(|word| word.push(letter.to_ascii_lowercase()));
        } else if is_latin {
            units.push(letter.to_ascii_lowercase().to_string());
        } else if !letter.is_ascii() && letter.is_alphanumeric() {
            if !is_joined && units.last().is_some_and(|last| !last.is_ascii()) {
                units.push(String::new());
            }
            units.push(simplified(letter).to_string());
        }
        is_joined = letter.is_alphanumeric();
    }
    units.into_iter().map(singular).collect()
}

/// The [terms](joined) of a text.
pub(super) fn terms(text: &str) -> Vec<String> {
    joined(&units(text))
}

/// The terms of units: the Latin words, and each pair of Chinese characters.
pub(super) fn joined(units: &[String]) -> Vec<String> {
    let is_latin = |unit: &&String| unit.is_ascii() && !unit.is_empty();
    let pairs = units.windows(2).filter(|pair| pair.iter().all(|unit| !unit.is_ascii()));
    units.iter().filter(is_latin).cloned().chain(pairs.map(|pair| pair.concat())).collect()
}

fn singular(mut word: String) -> String {
    if word.len() > 4 && word.ends_with("ies") {
        word.truncate(word.len() - 3);
        word.push('y');
    } else if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("us") {
        word.pop();
    }
    word
}

fn simplified(letter: char) -> char {
    let mut letters = TRADITIONAL.chars();
    while let (Some(traditional), Some(simple)) = (letters.next(), letters.next()) {
        if traditional == letter {
            return simple;
        }
    }
    letter
}

/// Whether one letter more, less or other, or two that changed places, make one word of the other.
pub(super) fn is_one_slip(known: &str, typed: &str) -> bool {
    if !known.is_ascii() || known.len().abs_diff(typed.len()) > 1 {
        return false;
    }
    let (known, typed) = (known.as_bytes(), typed.as_bytes());
    let start = known.iter().zip(typed).take_while(|(a, b)| a == b).count();
    let (known, typed) = (&known[start..], &typed[start..]);
    let end = known.iter().rev().zip(typed.iter().rev()).take_while(|(a, b)| a == b).count();
    match (&known[..known.len() - end], &typed[..typed.len() - end]) {
        ([a, b], [c, d]) => a == d && b == c,
        (known, typed) => known.len() <= 1 && typed.len() <= 1,
    }
}
