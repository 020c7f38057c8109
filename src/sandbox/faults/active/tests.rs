use super::*;

fn hits(seed: u64, rule: &str, count: usize) -> Vec<usize> {
    let mut faults = ActiveFaults::new(seed);
    faults.add(rule.parse().unwrap()).unwrap();
    (1..=count).filter(|&n| all_apply(&mut faults, n as u64) > 0).collect()
}

/// How many faults the request gets; all of them apply.
fn all_apply(faults: &mut ActiveFaults, number: u64) -> usize {
    let mut drawn = faults.of_request("/v3/x/y", number);
    drawn.apply(|_| true);
    let count = drawn.applied().len();
    faults.settle(drawn);
    count
}

#[test]
fn the_generator_is_splitmix64() {
    // The first outputs for the seed 1234567, as its author's reference code prints them.
    let golden = 0x9e37_79b9_7f4a_7c15_u64;
    let outputs: Vec<u64> = (0..3).map(|i| mix(1_234_567_u64.wrapping_add(golden.wrapping_mul(i)))).collect();
    assert_eq!(outputs, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
}

#[test]
fn a_rule_hits_its_share_of_the_matches() {
    assert_eq!(hits(1, "cut-body", 3), [1, 2, 3]);
    assert_eq!(hits(1, "cut-body nth=2", 5), [2]);
    assert_eq!(hits(1, "cut-body nth=2 times=2", 5), [2, 3]);
    assert_eq!(hits(1, "cut-body times=2", 5), [1, 2]);
    assert_eq!(hits(1, "cut-body share=1", 3), [1, 2, 3]);
    assert_eq!(hits(1, "cut-body path=v3/{a}", 3), [0; 0]);
    assert_eq!(hits(1, "cut-body path=v3/{+a}", 2), [1, 2]);
    assert_eq!(hits(1, "cut-body on=notifications", 2), [0; 0]);
    let some = hits(42, "cut-body share=0.1", 10_000);
    assert!((900..1100).contains(&some.len()), "{}", some.len());
    assert_eq!(some, hits(42, "cut-body share=0.1", 10_000));
    assert_ne!(some, hits(43, "cut-body share=0.1", 10_000));
}

#[test]
fn two_rules_with_the_same_share_are_independent() {
    let mut faults = ActiveFaults::new(5);
    for rule in ["cut-body share=0.5", "wrong-body share=0.5"] {
        faults.add(rule.parse().unwrap()).unwrap();
    }
    let mut counts = [0; 3];
    for _ in 0..1000 {
        counts[all_apply(&mut faults, 1)] += 1;
    }
    assert!(counts.iter().all(|&count| count > 150), "{counts:?}");
}

#[test]
fn a_fault_that_did_not_apply_goes_on() {
    let mut faults = ActiveFaults::new(1);
    faults.expect_all();
    faults.add("bad-signature nth=2".parse().unwrap()).unwrap();
    faults.push(Fault::Duplicate);
    faults.push(Fault::WrongBody);
    faults.push(Fault::CutBody);
    let mut drawn = faults.of_request("/", 1);
    assert_eq!(drawn.faults(), [Fault::WrongBody], "a request has no duplicate");
    // Meanwhile another one gets the next fault, and that of the rule.
    let other = faults.of_request("/", 2);
    assert_eq!(other.faults(), [Fault::BadSignature, Fault::CutBody]);
    assert_eq!(faults.of_request("/", 3).faults(), []);
    assert_eq!(faults.unmet().len(), 4, "nothing has applied yet: {:?}", faults.unmet());
    // The order is kept.
    drawn.apply(|_| false);
    faults.settle(drawn);
    faults.settle(other);
    let mut drawn = faults.of_request("/", 4);
    assert_eq!(drawn.faults(), [Fault::BadSignature, Fault::WrongBody]);
    drawn.apply(|fault| *fault == Fault::BadSignature);
    faults.settle(drawn);
    assert_eq!(faults.spent().map(|spent| spent.rule.as_str()).collect::<Vec<_>>(), ["bad-signature nth=2"]);
    let late = faults.of_request("/", 5);
    assert_eq!(late.faults(), [Fault::WrongBody]);
    let mut of_notification = faults.of_notification("/", true, "id");
    assert_eq!(of_notification.faults(), [Fault::Duplicate]);
    of_notification.apply(|_| true);
    faults.settle(of_notification);
    assert_eq!(faults.unmet().len(), 2);
    // What is cleared does not come back.
    faults.clear();
    faults.push(Fault::CutBody);
    faults.settle(late);
    assert_eq!(faults.queued().collect::<Vec<_>>(), [&Fault::CutBody]);
}

#[test]
fn invalid_rules() {
    for text in [
        "",
        "no-such-fault",
        "cut-body nth=0",
        "cut-body times=0",
        "cut-body nth=x",
        "cut-body share=0",
        "cut-body share=1.1",
        "cut-body share=NaN",
        "cut-body path=v3//x",
        "cut-body on=responses",
        "cut-body often",
        "duplicate",
        "html-bad-gateway on=notifications",
    ] {
        assert!(text.parse::<FaultRule>().is_err(), "{text}");
    }
    let text = "delay=5 nth=2 share=0.5 path=v3/{+rest} times=3 on=notifications";
    assert_eq!(text.parse::<FaultRule>().unwrap().to_string(), text);
}
