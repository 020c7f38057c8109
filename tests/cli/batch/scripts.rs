//! The documents' shell scripts around `wxpay batch`.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::json;

use super::{BatchEnv, Journal, thing};

/// Used if GNU parallel is not installed.
const PARALLEL: &str = r#"#!/bin/bash
command=(); while [ "$1" != ::: ]; do command+=("$1"); shift; done; shift
for part; do "${command[@]/\{\}/$part}" & done
for job in $(jobs -p); do wait "$job" || exit 1; done
"#;

#[test]
fn the_scripts_of_the_documents_run() {
    let script = |language: &str, word: &str| {
        let name = format!("{}/docs/cli{language}.md", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(name).unwrap();
        let mut blocks =
            text.split("```bash\n").skip(1).map(|block| block.split("```").next().unwrap().to_owned());
        blocks.find(|block| block.contains(word)).unwrap()
    };
    for language in ["", ".zh-CN"] {
        let env = BatchEnv::new();
        let put = |name: &str, text: &str| {
            std::fs::create_dir_all(env.path(name).parent().unwrap()).unwrap();
            env.write(name, text);
            std::fs::set_permissions(env.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        // The machine's own programs go first.
        put("bin/wxpay", &format!("#!/bin/sh\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_wxpay")));
        put("bin/parallel", PARALLEL);
        let run = |script: &str| {
            let path = format!("{}:{}", std::env::var("PATH").unwrap(), env.path("bin").display());
            let batch = env.batch(&[]);
            let variables = batch.get_envs().filter_map(|(name, value)| Some((name, value?)));
            let mut bash = Command::new("bash");
            bash.env_clear().envs(variables).env("PATH", path).current_dir(env.home.path());
            bash.args(["-e", "-c", script]).output().unwrap()
        };
        env.calls("POST", (0..40).map(|id| id.to_string()));
        let output = run(&script(language, "parallel"));
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("wxpay: 40 calls: 40 ok"), "{output:?}");
        assert!(env.seen().len() == 40 && env.seen().values().all(|times| *times == 1));
        let part = |letter| Journal::of(&env.read(&format!("part.a{letter}.results.jsonl"))).outcomes().len();
        assert_eq!(["a", "b", "c", "d"].map(part).iter().sum::<usize>(), 40);

        env.sandbox
            .on("POST", "v3/things/late", 500, json!({"code": "SYSTEM_ERROR", "message": "later"}))
            .unwrap();
        let refused = json!({"code": "NOT_ENOUGH", "message": "no money"});
        env.sandbox.on("POST", "v3/things/refused", 403, refused).unwrap();
        let limited = json!({"code": "FREQUENCY_LIMITED", "message": "later"});
        env.sandbox.on("POST", "v3/things/limited", 429, limited).unwrap();
        put("queue/a.jsonl", &[thing("POST", "a"), thing("POST", "refused")].concat());
        put("queue/b.jsonl", "no call");
        put("queue/c.jsonl", &[thing("POST", "c"), thing("POST", "late")].concat());
        put("queue/d.jsonl", &[thing("POST", "d"), thing("POST", "limited")].concat());
        let work = script(language, "queue/*.jsonl");
        for _ in 0..2 {
            let output = run(&work);
            assert!(output.status.success(), "{output:?}");
        }
        // Answered, with a mistake, unknown, left.
        let places = ["done/a.jsonl", "failed/b.jsonl", "check/c.jsonl", "queue/d.jsonl"];
        for place in places.into_iter().chain(["journals/a.jsonl", "journals/c.jsonl", "journals/d.jsonl"]) {
            assert!(env.path(place).exists(), "{place}");
        }
        let seen = env.seen();
        assert_eq!(["a", "c", "d", "late", "refused"].map(|id| seen[id]), [1; 5]);
        // Three tries in each run.
        assert_eq!(seen["limited"], 6);
        // The limit ends: the job that was left is done.
        env.sandbox.on("POST", "v3/things/limited", 200, json!({})).unwrap();
        assert!(run(&work).status.success());
        assert!(env.path("done/d.jsonl").exists());

        // A response that is not the platform's.
        env.sandbox.inject(wechatpay_chain::sandbox::Fault::BadSignature);
        put("queue/e.jsonl", &thing("POST", "e"));
        for _ in 0..2 {
            assert!(run(&work).status.success());
        }
        assert!(env.path("check/e.jsonl").exists());
        assert_eq!(env.seen()["e"], 1);

        // Calls from a table.
        put("refunds.csv", "P1,R1,100\nP2,R2,250\n");
        let output = run(&script(language, "refunds.csv"));
        assert!(output.status.success(), "{output:?}");
        let calls: Vec<serde_json::Value> =
            env.read("refunds.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let amount = json!({"refund": 250, "total": 250, "currency": "CNY"});
        assert_eq!((calls.len(), &calls[1]["id"], &calls[1]["body"]["amount"]), (2, &json!("R2"), &amount));
    }
}
