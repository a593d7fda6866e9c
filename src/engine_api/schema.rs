//! What a body may hold: its fields, their shapes, and how each is judged.

mod limit;

use super::key::Key;

pub use limit::Limit;

/// An object of the Engine API with every field that any API version gave it.
#[derive(Debug)]
pub struct Schema {
    /// The fields in groups, as the daemon's structs embed one another.
    pub parts: &'static [&'static [Field]],
}

impl Schema {
    /// Every field, each name once.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> {
        self.parts.iter().copied().flatten()
    }

    /// Finds the fields of one object after the other.
    pub(super) fn search(&'static self) -> Search {
        Search {
            parts: self.parts,
            part: 0,
            next: 0,
        }
    }
}

/// A search that begins where the last one ended: clients write the fields in the order of the daemon's structs, and so
/// does the model.
#[derive(Debug)]
pub(super) struct Search {
    parts: &'static [&'static [Field]],
    /// The part of the field that was found last.
    part: usize,
    /// The index in that part of what follows the field.
    next: usize,
}

/// Fields of the model in a row that a client may leave out, before the key is read to look for it.
const FEW: usize = 6;

/// A field that was found, and where in its schema.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) field: &'static Field,
    part: usize,
    index: usize,
}

impl Search {
    /// The field that a canonical object's key is.
    #[inline]
    pub(super) fn of(&mut self, key: &Key) -> Option<&'static Field> {
        match key {
            Key::Field(field) => Some(field),
            Key::Data(key) => {
                let found = self.find(|field| field.name == key.as_str());
                found.map(|found| found.field)
            }
            Key::Verbatim(_) => None,
        }
    }

    /// The first field that fits of the few after the last one found.
    #[inline]
    pub(super) fn next(&mut self, fits: impl Fn(&Field) -> bool) -> Option<Located> {
        let part = self.part;
        let fields = self.parts.get(part)?.get(self.next..)?;
        let mut few = fields.iter().take(FEW);
        let at = few.position(fits)?;
        let (field, index) = (fields.get(at)?, self.next + at);
        self.next = index + 1;
        Some(Located { field, part, index })
    }

    /// The first field that fits, from the last one found on; else from the beginning.
    pub(super) fn find(&mut self, fits: impl Fn(&Field) -> bool) -> Option<Located> {
        let (part, next) = (self.part, self.next);
        let found = self.find_in(part, next, &fits);
        found.or_else(|| (0..self.parts.len()).find_map(|part| self.find_in(part, 0, &fits)))
    }

    fn find_in(
        &mut self,
        part: usize,
        from: usize,
        fits: impl Fn(&Field) -> bool,
    ) -> Option<Located> {
        let fields = self.parts.get(part)?.get(from..)?;
        let at = fields.iter().position(fits)?;
        let (field, index) = (fields.get(at)?, from + at);
        (self.part, self.next) = (part, index + 1);
        Some(Located { field, part, index })
    }
}

/// Which fields of one object have been found.
#[derive(Debug, Default)]
pub(super) struct Seen([u64; MOST_PARTS * 2]);

impl Seen {
    /// Whether the field has not been found before; also not where there is no room to note it, so that it is refused.
    pub(super) fn is_first(&mut self, found: &Located) -> bool {
        let word = self.0.get_mut(found.part << 1 | found.index >> 6);
        let Some(word) = word.filter(|_| found.index < MOST_FIELDS) else {
            return false;
        };
        let bit = 1 << (found.index & 63);
        let is_first = *word & bit == 0;
        *word |= bit;
        is_first
    }
}

/// Of a schema; a test holds that.
pub(super) const MOST_PARTS: usize = 4;
/// Of a part of a schema; likewise.
pub(super) const MOST_FIELDS: usize = 128;

/// One field of a [`Schema`].
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The exact name, as official clients write it.
    pub name: &'static str,
    /// The one other spelling that a client in use writes and the daemon takes for the same name.
    pub spelling: Option<&'static str>,
    pub shape: Shape,
    pub class: Class,
}

impl Field {
    /// Whether a client that writes `key` means this field.
    #[must_use]
    pub fn is_written(&self, key: &str) -> bool {
        self.name == key || self.spelling == Some(key)
    }
}

/// The Go type that the daemon reads a field into, so far as the reading differs.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    Bool,
    /// A whole number within `i64`.
    Integer,
    /// Any JSON number.
    Float,
    Text,
    /// `[]string`.
    TextList,
    /// `strslice.StrSlice`: a list of strings, or one string.
    TextOrList,
    /// `map[string]string`.
    TextMap,
    /// `map[string]struct{}`: keys with an empty object.
    Set,
    Object(&'static Schema),
    List(&'static Self),
    /// A map whose keys are data (names of networks, ports), not fields.
    Map(&'static Self),
    /// Any JSON value; only for fields that are never permitted.
    Any,
    /// Any JSON value that clients in use send here and no daemon reads: dropped, whatever it holds.
    Unread,
}

/// What a value of a [`Shape`] holds that has a shape of its own.
#[derive(Debug, Clone, Copy)]
pub enum Inner {
    Fields(&'static Schema),
    /// The items of a list.
    Items(Shape),
    /// The values of a map, whose keys are data.
    Values(Shape),
    Nothing,
}

impl Shape {
    /// What a value of this shape holds, for all who walk through a body.
    #[must_use]
    pub fn inner(self) -> Inner {
        match self {
            Self::Object(schema) => Inner::Fields(schema),
            Self::List(item) => Inner::Items(*item),
            Self::Map(value) => Inner::Values(*value),
            Self::Bool
            | Self::Integer
            | Self::Float
            | Self::Text
            | Self::TextList
            | Self::TextOrList
            | Self::TextMap
            | Self::Set
            | Self::Any
            | Self::Unread => Inner::Nothing,
        }
    }
}

/// How a field or a parameter is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Reaches nothing outside the container, network or volume that is made; an object is looked into.
    Harmless,
    /// Permitted as far as a key of the policy says.
    Limited(Limit),
    /// Permitted by no key of a policy; only its zero value is dropped and passes.
    Refused(Refused),
}

/// Why a field that no key opens is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refused {
    /// Gave power in older API versions or engines only.
    Legacy,
    /// Acts on a swarm in a way that no key of a policy describes.
    Swarm,
    /// Reaches the host or its daemon in a way that no key of a policy describes.
    Host,
    /// Describes tasks of a service that are no containers.
    TaskRuntime,
    /// Belongs to a build by BuildKit, whose tunnel the gate cannot read.
    BuildKit,
}

/// A query parameter that the daemon reads for an operation.
#[derive(Debug)]
pub struct Parameter {
    /// The exact name; the daemon matches names with regard to case.
    pub name: &'static str,
    pub kind: ParameterKind,
    pub class: Class,
    /// What a value of the kind [`ParameterKind::Json`] holds; of other kinds it says nothing.
    pub shape: Shape,
}

/// How the daemon reads a query parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    Text,
    /// Text that the daemon reads from every repetition (`r.Form["t"]`).
    Texts,
    /// moby: httputils.BoolValue: all but empty, `no`, `0`, `false` and `none` is true.
    Bool,
    /// Go: strconv.ParseBool: `1`, `t`, `true`, `0`, `f`, `false`, also with capitals; the daemon refuses all else.
    StrictBool,
    /// A whole number within `i64`, or empty.
    Integer,
    /// moby: filters.FromJSON: `{"name":{"value":true}}` or `{"name":["value"]}`.
    Filters,
    /// A JSON value that the daemon decodes (`buildargs`, `labels`).
    Json,
}
