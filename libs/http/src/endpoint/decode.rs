//! Endpoints in a configuration: a string, or a bare port as an integer; one of them or a list.

use std::borrow::Cow;

use opsctl_config::{Based, Many, Scalar};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Endpoint, Endpoints};

impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Based { base, value: Written(endpoint) } = Based::deserialize(deserializer)?;
        Ok(endpoint.resolve(&base))
    }
}

/// The endpoint as written; apart so that its fault is found at the value's place within the [`Based`].
struct Written(Endpoint);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Scalar(text) = Scalar::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Endpoint {
    fn schema_name() -> Cow<'static, str> {
        "Endpoint".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Where to listen: an address and port, a port on all addresses, a unix socket, a socket \
                            passed by systemd, or one of these under TLS.",
            "type": ["string", "integer"],
            "minLength": 1,
            "minimum": 0,
            "maximum": u16::MAX,
            "examples": [
                "127.0.0.1:8000",
                "[::]:8000",
                8000,
                "unix:/run/opsctl/web.sock?mode=660",
                "systemd:web",
                "tls:[::]:8443?cert=cert.pem&key=key.pem",
            ],
        })
    }
}

impl<'de> Deserialize<'de> for Endpoints {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Many::deserialize(deserializer).map(|Many(endpoints)| Self(endpoints))
    }
}

impl Serialize for Endpoints {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl JsonSchema for Endpoints {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Endpoints".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Many::<Endpoint>::json_schema(generator)
    }
}
