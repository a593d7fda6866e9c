//! `system df` for an owner: lists hold what is its own or shared, and every sum and count is made anew of these.

use super::owning::Owning;
use crate::engine_api::json::{Number, Value};

/// One kind of things, under the names that its part of the answer has before API 1.52 and from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Containers,
    Images,
    Volumes,
    BuildCache,
}

impl Part {
    const ALL: [Self; 4] = [
        Self::Containers,
        Self::Images,
        Self::Volumes,
        Self::BuildCache,
    ];

    /// The list of the older form.
    fn list(self) -> &'static str {
        match self {
            Self::Containers => "Containers",
            Self::Images => "Images",
            Self::Volumes => "Volumes",
            Self::BuildCache => "BuildCache",
        }
    }

    /// The object of the newer form: sums, and the list as `Items` where the client wants to see it.
    fn usage(self) -> &'static str {
        match self {
            Self::Containers => "ContainerUsage",
            Self::Images => "ImageUsage",
            Self::Volumes => "VolumeUsage",
            Self::BuildCache => "BuildCacheUsage",
        }
    }

    /// The list, in whichever form it came.
    fn items(self, answer: &mut Value) -> Option<&mut Vec<Value>> {
        let is_newer = answer
            .get(self.usage())
            .is_some_and(|usage| usage.get("Items").is_some());
        let list = if is_newer {
            answer.get_mut(self.usage())?.get_mut("Items")
        } else {
            answer.get_mut(self.list())
        };
        match list {
            Some(Value::List(items)) => Some(items),
            Some(_) | None => None,
        }
    }
}

/// What one part comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sums {
    active: i64,
    total: i64,
    size: i64,
    reclaimable: i64,
}

impl Owning {
    /// Leaves what is the owner's; `is_brief` where the client asked for the sums alone.
    pub(super) fn usage(&self, answer: &mut Value, is_brief: bool) {
        for part in Part::ALL {
            if let Some(items) = part.items(answer) {
                items.retain_mut(|item| self.is_counted(part, item));
            }
        }
        let containers = Part::Containers.items(answer);
        let used: Option<Vec<String>> = containers.map(|items| {
            let images = items.iter().map(|item| item.text("ImageID").to_owned());
            images.collect()
        });
        if let Some(images) = Part::Images.items(answer) {
            images.iter_mut().for_each(|image| count(image, &used));
        }
        let layers = answer
            .get(Part::Images.usage())
            .and_then(|usage| usage.get("TotalSize"))
            .or(answer.get("LayersSize"))
            .map(whole);
        for part in Part::ALL {
            let items = part.items(answer).map(|items| items.as_slice());
            let mut sums = items.map(|items| sums(part, items));
            if let (Part::Images, Some(sums)) = (part, &mut sums) {
                self.images(sums, layers);
                // Without a part of its own it is the size of the images of all.
                replace(answer, "LayersSize", sums.size);
            }
            tell(answer, part, sums, is_brief);
        }
        replace(answer, "BuilderSize", 0);
    }

    fn is_counted(&self, part: Part, item: &mut Value) -> bool {
        match part {
            Part::Containers => self.is_own(item),
            Part::Images => self.image(item),
            Part::Volumes => self.volume(item),
            Part::BuildCache => false,
        }
    }

    /// Images share layers, so the daemon's sum is less than that of their sizes; where they are all to be seen, it stands.
    fn images(&self, sums: &mut Sums, layers: Option<i64>) {
        if let Some(layers) = layers.filter(|_| self.shows_all_images()) {
            let used = sums.size.saturating_sub(sums.reclaimable);
            sums.size = layers;
            sums.reclaimable = layers.saturating_sub(used).max(0);
        }
    }
}

/// The daemon counts the containers of all; -1 stands for a number that was not found out.
fn count(image: &mut Value, used: &Option<Vec<String>>) {
    let id = image.text("Id");
    let count = used.as_ref().map_or(-1, |used| {
        i64::try_from(used.iter().filter(|used| *used == id).count()).unwrap_or(-1)
    });
    replace(image, "Containers", count);
}

fn sums(part: Part, items: &[Value]) -> Sums {
    let mut sums = Sums::default();
    for item in items {
        let usage = item.get("UsageData").unwrap_or(&Value::Null);
        let number = |of: &Value, key: &str| of.get(key).map_or(0, whole);
        let (size, users) = match part {
            Part::Containers => {
                let lives = ["running", "paused", "restarting"].contains(&item.text("State"));
                (number(item, "SizeRw"), i64::from(lives))
            }
            Part::Images => {
                let own = number(item, "Size") - number(item, "SharedSize").max(0);
                (own, number(item, "Containers"))
            }
            Part::Volumes => (number(usage, "Size"), number(usage, "RefCount")),
            Part::BuildCache => (0, 0),
        };
        let size = size.max(0);
        sums.total += 1;
        sums.active += i64::from(users > 0);
        sums.size = sums.size.saturating_add(size);
        if users == 0 {
            sums.reclaimable = sums.reclaimable.saturating_add(size);
        }
    }
    sums
}

/// Puts the sums in the place of the daemon's; there are none where there is nothing to make them of.
fn tell(answer: &mut Value, part: Part, sums: Option<Sums>, is_brief: bool) {
    let Some(usage) = answer.get_mut(part.usage()) else {
        return;
    };
    if let Value::Object(members) = usage {
        members.retain(|(key, _)| **key == *"Items" && !is_brief);
    }
    let known = sums.or((part == Part::BuildCache).then(Sums::default));
    for (key, number) in known.into_iter().flat_map(|sums| {
        [
            ("ActiveCount", sums.active),
            ("TotalCount", sums.total),
            ("TotalSize", sums.size),
            ("Reclaimable", sums.reclaimable),
        ]
    }) {
        usage.set(key, Value::Number(Number::from(number)));
    }
}

/// Sets a number where there is one.
pub(super) fn replace(object: &mut Value, key: &str, number: i64) {
    if let Some(Value::Number(place)) = object.get_mut(key) {
        *place = Number::from(number);
    }
}

fn whole(value: &Value) -> i64 {
    match value {
        Value::Number(number) => number.as_i64().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Object(_) => 0,
    }
}
