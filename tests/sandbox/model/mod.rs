//! Random operations over orders, refunds, shares and transfers, with faults, restarts and kills, against a small
//! independent model: money is conserved, states only move as allowed, every repeat is harmless.
//!
//! `WECHATPAY_TESTS_FULL` makes the runs long. `WECHATPAY_MODEL_SEED` repeats a run: each failure prints its seed.

mod ledger;
mod platform;

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::requests::rows;
use ledger::{Ledger, Operation, is_shared};
use platform::{Outcome, Platform, order_no, send};

/// Faults that leave a client without the truth, or without any response.
const FAULTS: [&str; 6] = [
    "rate-limited",
    "system-error-after-executing",
    "cut-connection",
    "cut-body",
    "html-bad-gateway",
    "rate-limited=1",
];

/// How often a request without a clear response is repeated. Each fault applies once.
const REPEATS: usize = 10;

/// Each state that can follow another one, in any number of steps.
const MOVES: [(&str, &[&str]); 6] = [
    ("NOTPAY", &["SUCCESS", "REFUND", "CLOSED"]),
    ("SUCCESS", &["REFUND"]),
    ("REFUND", &["SUCCESS"]),
    ("PROCESSING", &["SUCCESS", "ABNORMAL", "CLOSED", "FINISHED"]),
    ("WAIT_USER_CONFIRM", &["SUCCESS", "FAIL", "CANCELING", "CANCELLED"]),
    ("CANCELING", &["CANCELLED"]),
];

/// A generator of numbers (xorshift), so that a seed repeats a run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn cents(&mut self, limit: usize) -> i64 {
        i64::try_from(1 + self.below(limit)).unwrap()
    }
}

struct Run {
    platform: Platform,
    ledger: Ledger,
    numbers: Numbers,
    /// Of each resource: the last state that was seen.
    seen: BTreeMap<String, String>,
    place: String,
    unknown: usize,
}

impl Run {
    fn new(platform: Platform, seed: u64) -> Run {
        let numbers = Numbers(seed | 1);
        let (ledger, seen) = (Ledger::default(), BTreeMap::new());
        Run { platform, ledger, numbers, seen, place: format!("WECHATPAY_MODEL_SEED={seed}"), unknown: 0 }
    }

    /// Mostly on the newest numbers, of which there are more as the run goes on.
    fn operation(&mut self, step: usize) -> Operation {
        let numbers = &mut self.numbers;
        // Any of the last shares, so that most returns find one.
        let shares: Vec<usize> = self.ledger.shares.keys().rev().take(6).copied().collect();
        let newest = step / 12 + 3;
        let mut which = || newest - numbers.below(newest.min(6));
        let (order, refund, share, back, transfer) = (which(), which(), which(), which(), which());
        match numbers.below(24) {
            0..=4 => Operation::Order { order, total: [100, 300][numbers.below(8) / 7] },
            5..=8 => Operation::Pay { order },
            9 => Operation::Close { order },
            10..=12 => Operation::Refund { order, refund, amount: numbers.cents(120) },
            13..=14 => {
                Operation::EndRefund { refund, state: ["SUCCESS", "ABNORMAL", "CLOSED"][numbers.below(3)] }
            }
            15..=16 => {
                let unfreeze = numbers.below(4) == 0;
                Operation::Share { order: order & !1, share, amount: numbers.cents(60), unfreeze }
            }
            17 => Operation::Unfreeze { order, share },
            18 => {
                let share = if shares.is_empty() { share } else { shares[numbers.below(shares.len())] };
                Operation::Return { share, back, amount: numbers.cents(30) }
            }
            19..=20 => Operation::Transfer { transfer, amount: [10, 20][numbers.below(6) / 5] },
            21 => Operation::Cancel { transfer },
            _ => Operation::EndTransfer { transfer, state: ["SUCCESS", "FAIL"][numbers.below(2)] },
        }
    }

    /// Performs the operation, repeats it until its result is clear, and compares that with the model.
    fn perform(&mut self, operation: &Operation, kill_after: Option<Duration>) {
        let mut outcome = match kill_after {
            Some(after) => self.platform.perform_while_killed(operation, &self.ledger, after),
            None => self.platform.perform(operation, &self.ledger),
        };
        let mut lost = 0;
        while matches!(outcome, Outcome::Unknown) {
            lost += 1;
            assert!(lost <= REPEATS, "{}: no response to {operation:?}", self.place);
            outcome = self.platform.perform(operation, &self.ledger);
        }
        self.unknown += lost;
        let expected = self.ledger.perform(operation);
        match (&outcome, &expected) {
            (Outcome::Done(body), Ok(())) => self.note(operation, body),
            (Outcome::Refused(code), Err(expected)) if code == expected || operation.is_payers() => {}
            // The first attempt was executed: the payer's actions happen once.
            (Outcome::Refused(_), Ok(())) if lost > 0 && operation.is_payers() => self.note_paid(operation),
            (Outcome::Done(body), _) => {
                panic!("{}: {operation:?}: {body}, the model: {expected:?}", self.place)
            }
            (Outcome::Refused(code), _) => {
                panic!("{}: {operation:?}: {code}, the model: {expected:?}", self.place)
            }
            (Outcome::Unknown, _) => unreachable!(),
        }
    }

    /// The model takes the number that the platform gave.
    fn note(&mut self, operation: &Operation, body: &Value) {
        if let Operation::Pay { order } = operation {
            let id = body["transaction_id"].as_str().unwrap().to_owned();
            self.ledger.orders.get_mut(order).unwrap().transaction = Some(id);
        }
    }

    fn note_paid(&mut self, operation: &Operation) {
        if let Operation::Pay { order } = operation {
            let body = self.order(*order);
            self.note(operation, &body);
        }
    }

    fn get(&self, path: &str, number: &str, query: &Value) -> Value {
        for _ in 0..REPEATS {
            let request = self.platform.wx.chain(path).get().var("n", number).query(query.clone());
            match send(request) {
                Outcome::Done(body) => return body,
                Outcome::Refused(code) => panic!("{}: {path} {number}: {code}", self.place),
                Outcome::Unknown => {}
            }
        }
        panic!("{}: no response to {path} {number}", self.place)
    }

    fn order(&self, order: usize) -> Value {
        let query = json!({"mchid": self.platform.wx.mchid()});
        self.get("v3/pay/transactions/out-trade-no/{n}", &order_no(order), &query)
    }

    /// The state is the model's, and follows from the one that was seen before.
    fn saw(&mut self, what: String, state: &Value, expected: &str) {
        assert_eq!(state, expected, "{}: {what}", self.place);
        if let Some(before) =
            self.seen.insert(what.clone(), expected.into()).filter(|before| before != expected)
        {
            let next = MOVES.iter().find(|(state, _)| *state == before).map_or(&[][..], |(_, next)| next);
            assert!(next.contains(&expected), "{}: {what} went from {before} to {expected}", self.place);
        }
    }

    /// Compares the resources that `chosen` selects by their number.
    fn compare(&mut self, chosen: impl Fn(usize) -> bool) {
        let ledger = self.ledger.clone();
        for (number, order) in ledger.orders.iter().filter(|(number, _)| chosen(**number)) {
            let body = self.order(*number);
            self.saw(order_no(*number), &body["trade_state"], order.state);
            assert_eq!(body["amount"]["total"], order.total, "{}: {body}", self.place);
            assert_eq!(
                body["transaction_id"].as_str(),
                order.transaction.as_deref(),
                "{}: {body}",
                self.place
            );
            if let Some(id) = order.transaction.as_ref().filter(|_| is_shared(*number)) {
                let amounts = self.get("v3/profitsharing/transactions/{n}/amounts", id, &json!({}));
                assert_eq!(amounts["unsplit_amount"], order.frozen, "{}: {}", self.place, order_no(*number));
            }
        }
        for (number, refund) in ledger.refunds.iter().filter(|(number, _)| chosen(**number)) {
            let body = self.get("v3/refund/domestic/refunds/{n}", &format!("R{number}"), &json!({}));
            self.saw(format!("R{number}"), &body["status"], refund.state);
            assert_eq!(body["amount"]["refund"], refund.amount, "{}: {body}", self.place);
        }
        for (number, share) in ledger.shares.iter().filter(|(number, _)| chosen(**number)) {
            let id = ledger.orders[&share.order].transaction.clone();
            let path = "v3/profitsharing/orders/{n}";
            let body = self.get(path, &format!("S{number}"), &json!({"transaction_id": id}));
            self.saw(format!("S{number}"), &body["state"], "FINISHED");
            let receivers = body["receivers"].as_array().cloned().unwrap_or_default();
            let sum: i64 = receivers.iter().filter_map(|one| one["amount"].as_i64()).sum();
            assert_eq!(sum, share.amount.unwrap_or(0) + share.unfrozen, "{}: {body}", self.place);
        }
        for (number, transfer) in ledger.transfers.iter().filter(|(number, _)| chosen(**number)) {
            let path = "v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{n}";
            let body = self.get(path, &format!("T{number}"), &json!({}));
            self.saw(format!("T{number}"), &body["state"], transfer.state);
            assert_eq!(body["transfer_amount"], transfer.amount, "{}: {body}", self.place);
        }
        self.ledger.check();
    }

    fn add_fault(&mut self) {
        let fault = FAULTS[self.numbers.below(FAULTS.len())];
        let added = self.platform.control("POST", "faults", &json!({"fault": fault, "times": 1}));
        assert_eq!(added.unwrap().0, 201);
    }

    /// The last balance in the bills of the run's days is the model's.
    fn compare_balance(&self) {
        let place = &self.place;
        let advance =
            |period: &str| self.platform.control("POST", "clock", &json!({"advance": period})).unwrap().1;
        let today = advance("0s")["business_time"].as_str().unwrap()[..10].to_owned();
        advance("2d");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bill.csv");
        self.platform.wx.bill("v3/bill/fundflowbill").date(&today).save_to(&file).wait().expect(place);
        let (all, _) = rows(&std::fs::read(&file).unwrap());
        let balance = all.last().unwrap().get("账户结余(元)").unwrap().replace('.', "");
        assert_eq!(balance.parse::<i64>().unwrap(), self.ledger.balance(), "{place}: the balance of {today}");
    }
}

fn seed() -> u64 {
    let given = std::env::var("WECHATPAY_MODEL_SEED").ok().map(|seed| seed.parse().unwrap());
    given.unwrap_or_else(|| {
        u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
    })
}

fn full() -> bool {
    std::env::var_os("WECHATPAY_TESTS_FULL").is_some()
}

/// Twenty thousand operations with `WECHATPAY_TESTS_FULL`, else two thousand.
#[test]
fn random_operations_with_faults_and_restarts() {
    let (seed, steps) = (seed(), if full() { 20_000 } else { 2_000 });
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new(Platform::in_process(folder.path()), seed);
    let place = run.place.clone();
    for step in 0..steps {
        run.place = format!("{place}, step {step}");
        match run.numbers.below(100) {
            0 => run.platform.restart(),
            1..=25 => run.add_fault(),
            _ => {}
        }
        let operation = run.operation(step);
        run.perform(&operation, None);
        // Sent again, and the model says the same: nothing happens twice.
        if !operation.is_payers() && run.numbers.below(5) == 0 {
            run.perform(&operation, None);
        }
        if run.numbers.below(8) == 0 {
            let which = (step / 12 + 3).saturating_sub(run.numbers.below(6));
            run.compare(|number| number == which);
        }
    }
    run.place = place;
    run.platform.control("DELETE", "faults", &Value::Null).unwrap();
    run.compare(|_| true);
    run.compare_balance();
    let states: Vec<&str> = run.ledger.refunds.values().map(|refund| refund.state).collect();
    for state in ["PROCESSING", "SUCCESS", "ABNORMAL", "CLOSED"] {
        assert!(states.contains(&state), "no refund became {state}");
    }
    assert!(run.unknown > steps / 20, "only {} requests met a fault", run.unknown);
    assert!(run.ledger.returns.len() > steps / 200, "only {} returns", run.ledger.returns.len());
}

/// A hundred kills with `WECHATPAY_TESTS_FULL`, else eight.
#[test]
fn random_operations_while_the_program_is_killed_at_random() {
    let (seed, kills) = (seed(), if full() { 100 } else { 8 });
    let folder = tempfile::tempdir().unwrap();
    let mut run = Run::new(Platform::program(folder.path()), seed);
    let place = run.place.clone();
    let (mut killed, mut step) = (0, 0);
    while killed < kills {
        run.place = format!("{place}, step {step}, {killed} kills");
        let operation = run.operation(step);
        step += 1;
        // Within the time that a request takes, or a little later.
        let micros = u64::try_from(run.numbers.below(6_000)).unwrap();
        let kill = (run.numbers.below(12) == 0).then_some(Duration::from_micros(micros));
        killed += usize::from(kill.is_some());
        run.perform(&operation, kill);
        if kill.is_some() {
            run.compare(|number| number + 6 > step / 12 + 3);
        }
    }
    run.place = place;
    run.compare(|_| true);
    run.compare_balance();
}
