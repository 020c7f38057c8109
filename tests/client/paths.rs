//! Documented paths that end in a slash, literal paths, and the macro, on the wire.

use serde_json::json;
use wechatpay_chain::{Chain, Error, PathError, chain};

use crate::support::{self, Recorder};

#[test]
fn a_slash_at_the_end_is_sent_in_every_spelling() {
    let recorder = Recorder::no_content();
    let wx = support::client(&recorder.base);
    let name = "applyments/";
    for (spelling, chain) in [
        ("index", wx["v3/ecommerce/applyments/"].clone()),
        ("index, twice", wx["v3/"]["/ecommerce/applyments/"].clone()),
        ("chain", wx.chain("/v3/ecommerce/applyments/")),
        ("seg", wx.seg("v3").seg("ecommerce").seg("applyments/")),
        ("seg, all", wx.seg("v3/").seg("ecommerce/").seg("applyments/")),
        ("macro, braces", chain!(wx->v3->ecommerce->{"applyments/"})),
        ("macro, a name", chain!(wx.v3.ecommerce.{name})),
        ("macro, brackets", chain!(wx->v3->ecommerce["applyments/"])),
        ("a slash alone", chain!(wx->v3->ecommerce->applyments["/"])),
        ("a whole URL", wx.chain(&format!("{}v3/ecommerce/applyments/", recorder.base))),
        ("literal", wx.chain("").literal("v3/ecommerce/applyments/")),
    ] {
        chain.post(json!({"a": 1})).wait().unwrap();
        assert_eq!(recorder.take().target, "/v3/ecommerce/applyments/", "{spelling}");
        chain.get().query(json!({"a": 1})).wait().unwrap();
        assert_eq!(recorder.take().target, "/v3/ecommerce/applyments/?a=1", "{spelling}");
        for longer in
            [chain.seg("out-request-no"), chain.chain("/out-request-no"), chain["out-request-no"].clone()]
        {
            longer.seg("{no}").get().var("no", "P/1").wait().unwrap();
            assert_eq!(recorder.take().target, "/v3/ecommerce/applyments/out-request-no/P%2F1", "{spelling}");
        }
    }
    let variable = wx.chain("v3/ecommerce/applyments/{empty}");
    variable.post(json!({})).options(json!({"empty": ""})).wait().unwrap();
    assert_eq!(recorder.take().target, "/v3/ecommerce/applyments/");
    let options = json!({"json": {}, "base_uri": format!("{}hk", recorder.base)});
    wx["v3/applyment4sub/applyment/"].post(json!(null)).options(options).wait().unwrap();
    assert_eq!(recorder.take().target, "/hk/v3/applyment4sub/applyment/");
}

#[test]
fn a_lost_value_in_the_middle_is_refused_in_every_spelling() {
    let wx = support::client("http://127.0.0.1:9/");
    let no = "";
    let close = format!("v3/pay/transactions/out-trade-no/{no}/close");
    let empty = |chain: Chain| match chain.get().prepare().map(|p| p.target().to_owned()) {
        Err(Error::Path(error)) => matches!(*error, PathError::EmptySegment { .. }),
        other => panic!("{other:?}"),
    };
    assert!(empty(wx.chain(&close)) && empty(wx[close.as_str()].clone()));
    assert!(empty(wx.chain("v3/pay/transactions/out-trade-no").seg(no).seg("close")));
    assert!(empty(chain!(wx->v3->pay->{no}->close)) && empty(chain!(wx->v3["pay//x"])));
    assert!(empty(wx.chain("")) && empty(wx.chain("/")) && empty(wx.chain("").literal("v3//x")));
    let missing = wx.chain("v3/applyment4sub/applyment/{empty}").get().prepare().unwrap_err();
    assert!(matches!(missing, Error::Path(e) if matches!(*e, PathError::MissingVariable { .. })));
}

struct Shop {
    wx: wechatpay_chain::WeChatPay,
    clients: (wechatpay_chain::WeChatPay,),
}

impl Shop {
    fn chains(&self) -> Vec<Chain> {
        vec![
            chain!(self.wx->v3->pay->native),
            chain!(self.wx.v3.pay.native),
            chain!(self.wx["v3/pay"]->native),
            chain!(self.wx["v3"].pay["native"]),
            chain!((self.wx)->v3.pay->native),
            chain!(self.clients.0->v3->pay->native),
        ]
    }
}

/// `self` that is itself a chain's root.
trait Extension {
    fn native(&self) -> [Chain; 3];
}

impl Extension for wechatpay_chain::WeChatPay {
    fn native(&self) -> [Chain; 3] {
        [chain!(self->v3->pay->native), chain!(self.v3.pay.native), chain!(self["v3/pay/native"])]
    }
}

#[test]
fn the_macro_takes_the_lines_of_php_and_node() {
    let wx = support::client("http://127.0.0.1:9/");
    let shop = Shop { wx: wx.clone(), clients: (wx.clone(),) };
    assert_eq!(chain!(shop.wx->v3->pay).path(), "v3/pay");
    for chain in shop.chains().into_iter().chain(wx.native()) {
        assert_eq!(chain.path(), "v3/pay/native");
    }
    let (name, names) = ("merchant-service", ["merchant-service".to_owned()]);
    let star = &name;
    for chain in [
        chain!($wx->v3->merchantService),
        chain!($wx.v3.merchantService),
        chain!($wx["v3"]->merchantService),
        chain!($wx->v3->{$name}),
        chain!(wx->v3->{name}),
        chain!(wx.v3.{&name}),
        chain!(wx->v3->{&name}),
        chain!(wx->v3->{*star}),
        chain!(wx.v3.{*star}),
        chain!(wx->v3->{&names[0]}),
        chain!(wx->v3->{"merchant-service"}),
    ] {
        assert_eq!(chain.path(), "v3/merchant-service");
    }
    assert_eq!(chain!($wx->v3->pay->_id_->close).path(), "v3/pay/{id}/close");
    assert_eq!(chain!(wx.v3.pay.$id$.close).path(), "v3/pay/{id}/close");
    assert_eq!(chain!(wx.hk.v3.statements).path(), "hk/v3/statements");
    let pay = chain!(wx->v3->pay);
    assert_eq!(chain!(pay.transactions.native).path(), "v3/pay/transactions/native");
    assert_eq!(chain!($pay->get->post->self->v3).path(), "v3/pay/get/post/self/v3");
}
