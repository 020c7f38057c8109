//! The tab of the platform's keys and its clock.

use maud::{Markup, html};

use super::{
    form::{self, Problem, button},
    text::time,
    view::View,
};
use crate::sandbox::{
    keys::{
        keyring::{Keyring, SigningKey},
        mode::SigningMode,
    },
    server::platform::Platform,
};

pub(crate) fn section(platform: &Platform, view: &View, problem: Option<&Problem>) -> Markup {
    html! {
        (keys(view, &platform.keyring))
        (mode(view, &platform.keyring, problem))
        (clock(view, platform.clock.skew(), platform.business_clock.now(), problem))
    }
}

fn keys(view: &View, keyring: &Keyring) -> Markup {
    let (l, keys) = (view.language, keyring.now());
    html! {
        h3 #keys tabindex="-1" { (l.say("Platform keys", "平台密钥")) }
        ul .rules { @for key in keys.all() { @let serial = key.serial();
            li #{ "key-" (serial) } tabindex="-1" {
                div {
                    code { (serial) } " "
                    span .note {
                        (match key {
                            SigningKey::Certificate(_) => l.say("platform certificate", "平台证书"),
                            SigningKey::PublicKey(_) => l.say("public key", "微信支付公钥"),
                        })
                        @if keys.signer.serial() == serial {
                            " · " (l.say("signs responses and notifications", "用于签名响应和回调通知"))
                        }
                    }
                }
                div .buttons {
                    @if keys.signer.serial() != serial {
                        (button(view, "sign-with", &[("serial", serial)], l.say("Sign with this key", "用此密钥签名"), serial))
                    }
                    @if keys.all().count() > 1 {
                        (button(view, "retire", &[("serial", serial)], l.say("Retire", "停用"), serial))
                    }
                }
            }
        } }
        div .buttons {
            (button(view, "rotate-certificate", &[], l.say("Rotate certificate", "更换平台证书"), ""))
            (button(view, "rotate-public-key", &[], l.say("Rotate public key", "更换公钥"), ""))
        }
    }
}

/// The modes of `--sign-with`, in English and Chinese.
const MODES: [(SigningMode, &str, &str); 3] = [
    (SigningMode::PublicKey, "Public key only (new merchants)", "仅微信支付公钥（新商户）"),
    (SigningMode::Certificate, "Platform certificates only", "仅平台证书"),
    (
        SigningMode::Migration,
        "Both (from certificates to the public key)",
        "两者并用（从平台证书切换到公钥）",
    ),
];

/// Which kinds of keys are in service.
fn mode(view: &View, keyring: &Keyring, problem: Option<&Problem>) -> Markup {
    let (l, now) = (view.language, keyring.mode());
    html! {
        h3 #mode-title { (l.say("Signing mode", "签名方式")) }
        @if keyring.is_following() {
            p .note { (l.say(
                "Not chosen yet: the public key signs, until a client downloads the certificates.",
                "尚未选择：由微信支付公钥签名，直到客户端下载平台证书。",
            )) }
        }
        form #set-mode method="post" action=(view.address()) aria-labelledby="mode-title" {
            (form::alert("set-mode", problem))
            div .fields {
                label .wide { span { (l.say("Keys in service", "启用的密钥")) }
                    select name="mode" { @for (mode, english, chinese) in MODES {
                        option value=(mode) selected[mode == now] { (l.say(english, chinese)) " · " (mode) }
                    } } }
                button .main name="do" value="set-mode" { (l.say("Set", "设置")) }
            }
        }
        p .note { (l.say(
            "Keys of the other kind are retired. It is the option --sign-with.",
            "另一种密钥会被停用。与选项 --sign-with 相同。",
        )) }
    }
}

/// `business` is the business time, in Unix seconds.
fn clock(view: &View, skew: i64, business: i64, problem: Option<&Problem>) -> Markup {
    let l = view.language;
    html! {
        h3 #clock tabindex="-1" { (l.say("Clock", "时钟")) }
        p { @if skew == 0 { (l.say("In sync with this machine", "与本机一致")) } @else {
            (l.say("Seconds ahead of this machine: ", "比本机超前（秒）：")) b { (skew) }
        } }
        form #set-skew method="post" action=(view.address()) {
            (form::alert("set-skew", problem))
            div .fields {
                label { span { (l.say("Seconds ahead", "超前秒数")) }
                    input name="seconds" type="number" step="1" required value=(skew); }
                button .main name="do" value="skew" { (l.say("Set", "设置")) }
            }
        }
        p { (l.say("Business time: ", "业务时间：")) b { (time(business)) } }
        form #advance method="post" action=(view.address()) {
            (form::alert("advance", problem))
            div .fields {
                label { span { (l.say("Advance by", "调快时长")) }
                    input name="period" autocomplete="off" required placeholder="1d, 12h, 30m"; }
                button .main name="do" value="advance" { (l.say("Advance", "调快")) }
            }
        }
    }
}
