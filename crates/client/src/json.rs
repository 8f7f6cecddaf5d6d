//! The JSON text of an object, whole or in pieces. Pieces are shared with whoever
//! stores them, so that a live copy of many objects costs little beside the
//! store itself. It never looks into the text.

use std::sync::Arc;

use bytes::Bytes;

/// The JSON text of one object. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Json(Form);

#[derive(Clone, Debug)]
enum Form {
    Whole(Bytes),
    Pieces(Arc<[Bytes]>),
}

impl Json {
    /// A text that lies in several places, in order.
    pub fn of_pieces(pieces: impl Into<Arc<[Bytes]>>) -> Self {
        Json(Form::Pieces(pieces.into()))
    }

    /// Whether there is no text: a cache may hold objects without.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Form::Whole(text) => text.is_empty(),
            Form::Pieces(pieces) => pieces.iter().all(Bytes::is_empty),
        }
    }

    /// The text in one piece. A copy, if it lies in several.
    pub fn text(&self) -> Bytes {
        match &self.0 {
            Form::Whole(text) => text.clone(),
            Form::Pieces(pieces) => pieces.concat().into(),
        }
    }
}

impl Default for Json {
    fn default() -> Self {
        Json(Form::Whole(Bytes::new()))
    }
}

impl From<Bytes> for Json {
    fn from(text: Bytes) -> Self {
        Json(Form::Whole(text))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::Json;

    #[test]
    fn pieces_are_one_text() {
        let text = Bytes::from_static(b"{\"a\":1}");
        let pieces = Json::of_pieces([text.slice(..3), text.slice(3..3), text.slice(3..)]);
        assert_eq!((pieces.text(), pieces.is_empty()), (text.clone(), false));
        assert_eq!(Json::from(text.clone()).text(), text);
        assert!(Json::default().is_empty() && Json::of_pieces([Bytes::new()]).is_empty());
    }
}
