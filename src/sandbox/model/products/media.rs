//! Files of the merchant's.

use super::{Act::Plain, GET, Need, POST, Row};
use crate::sandbox::flow::files;

const UPLOADED: &[Need] = &[Need::Text("/filename", 128), Need::Text("/sha256", 64), Need::File];

pub(super) const ROWS: &[Row] = &[
    Row {
        method: POST,
        template: "v3/merchant/media/upload",
        partner: None,
        needs: UPLOADED,
        act: Plain(files::upload),
    },
    Row {
        method: POST,
        template: "v3/merchant/media/video_upload",
        partner: None,
        needs: UPLOADED,
        act: Plain(files::upload),
    },
    Row {
        method: POST,
        template: "v3/merchant-service/images/upload",
        partner: None,
        needs: UPLOADED,
        act: Plain(files::upload),
    },
    Row {
        method: GET,
        template: "v3/merchant-service/images/{+media_id}",
        partner: None,
        needs: &[],
        act: Plain(files::download),
    },
];
