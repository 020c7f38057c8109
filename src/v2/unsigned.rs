//! The paths whose responses carry no usable signature (PROTOCOL-V2, section 5). This table is the only copy.

/// How the response of a path is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signing {
    Always,
    /// If there is a `sign`.
    IfPresent,
    Never,
}

/// Without the base URL's path, and without the slash in front.
const TABLE: &[(&str, Signing)] = &[
    ("appauth/getaccesstoken", Signing::Never),
    ("billcommentsp/batchquerycomment", Signing::Never),
    ("mchrisk/querymchrisk", Signing::Never),
    ("mchrisk/setmchriskcallback", Signing::Never),
    ("mchrisk/syncmchriskresult", Signing::Never),
    ("mmpaymkttransfers/gethbinfo", Signing::Never),
    ("mmpaymkttransfers/gettransferinfo", Signing::Never),
    ("mmpaymkttransfers/promotion/paywwsptrans2pocket", Signing::Never),
    ("mmpaymkttransfers/promotion/querywwsptrans2pocket", Signing::Never),
    ("mmpaymkttransfers/promotion/transfers", Signing::Never),
    ("mmpaymkttransfers/sendgroupredpack", Signing::Never),
    ("mmpaymkttransfers/sendminiprogramhb", Signing::Never),
    ("mmpaymkttransfers/sendredpack", Signing::Never),
    ("mmpaysptrans/pay_bank", Signing::IfPresent),
    ("mmpaysptrans/query_bank", Signing::Never),
    ("papay/entrustweb", Signing::Never),
    ("papay/h5entrustweb", Signing::Never),
    ("papay/partner/entrustweb", Signing::Never),
    ("papay/partner/h5entrustweb", Signing::Never),
    ("pay/downloadbill", Signing::Never),
    ("pay/downloadfundflow", Signing::Never),
    ("payitil/report", Signing::Never),
    ("risk/getpublickey", Signing::Never),
    ("risk/getviolation", Signing::Never),
    ("secapi/mch/submchmanage", Signing::Never),
    ("xdc/apiv2getsignkey/sign/getsignkey", Signing::Never),
];

pub(crate) fn signing_of(path: &str) -> Signing {
    let path = path.trim_start_matches('/');
    TABLE
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(path))
        .map_or(Signing::Always, |(_, signing)| *signing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_compared_whole() {
        assert_eq!(TABLE.len(), 26);
        assert_eq!(signing_of("/pay/downloadbill"), Signing::Never);
        assert_eq!(signing_of("Pay/DownloadBill"), Signing::Never);
        assert_eq!(signing_of("mmpaysptrans/pay_bank"), Signing::IfPresent);
        for signed in
            ["pay/downloadbill2", "x/pay/downloadbill", "pay/downloadbill/", "pay/unifiedorder", "", "/"]
        {
            assert_eq!(signing_of(signed), Signing::Always, "{signed}");
        }
    }
}
