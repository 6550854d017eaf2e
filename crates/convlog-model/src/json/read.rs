//! JSON out of a parser: a visitor that keeps order, duplicates and number text, and counts levels.

use std::fmt;

use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{DEPTH_MAX, Json, Text};
use crate::number::is_number;

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        Tree {
            depth_left: DEPTH_MAX,
            depth_max: DEPTH_MAX,
        }
        .deserialize(source)
    }
}

/// Key under which serde_json hands over a number with arbitrary precision.
pub(crate) const NUMBER_TOKEN: &str = "$serde_json::private::Number";

#[derive(Clone, Copy)]
pub(super) struct Tree {
    pub(super) depth_left: usize,
    pub(super) depth_max: usize,
}

impl Tree {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Tree { depth_left, ..self }),
            None => Err(E::custom(format_args!(
                "nested deeper than {} levels",
                self.depth_max
            ))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Tree {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Json, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string().into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string().into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::string(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::string(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut source: A) -> Result<Json, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = source.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Json, A::Error> {
        let inner = match self.deeper() {
            Ok(inner) => inner,
            // A number arrives as a map too, and is not a level of nesting.
            Err(too_deep) => match source.next_key::<String>()?.as_deref() {
                Some(NUMBER_TOKEN) => {
                    let text: String = source.next_value()?;
                    return is_number(&text)
                        .then_some(Json::Number(text.into()))
                        .ok_or(too_deep);
                }
                _ => return Err(too_deep),
            },
        };
        let mut members: Vec<(Text, Json)> = Vec::new();
        while let Some(key) = source.next_key::<String>()? {
            let value = source.next_value_seed(inner)?;
            if let (NUMBER_TOKEN, true, Json::String(text)) =
                (key.as_str(), members.is_empty(), &value)
                && is_number(text)
            {
                return Ok(Json::Number(text.clone()));
            }
            members.push((key.into(), value));
        }
        Ok(Json::Object(members))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json, E> {
        match serde_json::Number::from_f64(value) {
            Some(number) => Ok(Json::Number(number.to_string().into())),
            None => Err(E::custom("not a finite number")),
        }
    }
}
