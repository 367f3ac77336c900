//! What a search goes by, beside the scenario of a link: `w.objective=cost&w.price=2.5&w.price.L4=0.7`. No part of the
//! scenario; the page reads it.
use super::{
    LINK_LIMIT,
    fragment::{decode, encode},
};

/// What its keys begin with.
pub(super) const LETTER: &str = "w.";

/// The link of `fragment` with these wishes; without them where it would be too long.
pub fn with_wishes(fragment: &str, wishes: &[(String, String)]) -> String {
    let mut out = fragment.to_owned();
    for (key, value) in wishes {
        for part in ["&", LETTER, &encode(key), "=", &encode(value)] {
            out.push_str(part);
        }
    }
    if out.len() > LINK_LIMIT {
        fragment.to_owned()
    } else {
        out
    }
}

/// The wishes of a link.
pub fn wishes_of(fragment: &str) -> Vec<(String, String)> {
    let wish = |part: &str| {
        let (key, value) = part.strip_prefix(LETTER)?.split_once('=')?;
        Some((decode(key)?, decode(value)?))
    };
    fragment.split('&').filter_map(wish).collect()
}
