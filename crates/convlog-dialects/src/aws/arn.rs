//! Names of resources (ARNs): those that requests of Lex hold or ask for, taken apart and put
//! together. Their forms are those of the service models' patterns.

use std::fmt;

#[cfg(test)]
mod tests;

/// Bytes of the longest ARN that any model takes.
const BYTES_MAX: usize = 2048;

/// The parts that all ARNs have, not yet looked into.
struct Parts<'a> {
    partition: &'a str,
    region: &'a str,
    account: &'a str,
    resource: &'a str,
}

/// Takes an ARN of `service` apart.
fn parts<'a>(text: &'a str, service: &str) -> Option<Parts<'a>> {
    if text.len() > BYTES_MAX {
        return None;
    }
    let mut parts = text.splitn(6, ':');
    let is_arn = parts.next()? == "arn";
    let partition = parts.next().filter(|partition| is_word(partition))?;
    let is_service = parts.next()? == service;
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    (is_arn && is_service).then_some(Parts {
        partition,
        region,
        account,
        resource,
    })
}

/// `[\w\-]+`
fn is_word(text: &str) -> bool {
    !text.is_empty()
        && all(text, |byte| {
            byte.is_ascii_alphanumeric() || b"_-".contains(&byte)
        })
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && all(text, |byte| byte.is_ascii_digit())
}

fn all(text: &str, test: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(test)
}

impl<'a> Parts<'a> {
    /// The same, of a resource that lies in a region and an account.
    fn regional(self) -> Option<Self> {
        (is_word(self.region) && is_account(self.account)).then_some(self)
    }
}

/// A log group of CloudWatch Logs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogGroupArn {
    /// `aws`, or that of another cloud of theirs.
    pub partition: String,
    /// Its region.
    pub region: String,
    /// Its account, 12 digits.
    pub account: String,
    /// Its name.
    pub group: String,
}

impl LogGroupArn {
    /// Reads one, with or without the `:*` that some tools put behind the name; `None` for
    /// anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts = parts(text, "logs")?.regional()?;
        let group = parts.resource.strip_prefix("log-group:")?;
        let group = group.strip_suffix(":*").unwrap_or(group);
        let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte);
        let is_name = (1..=512).contains(&group.len()) && all(group, is_of_name);
        is_name.then(|| LogGroupArn {
            partition: parts.partition.to_owned(),
            region: parts.region.to_owned(),
            account: parts.account.to_owned(),
            group: group.to_owned(),
        })
    }
}

impl LogGroupArn {
    /// The name in the text of one, as it is displayed.
    #[must_use]
    pub fn name_in(arn: &str) -> Option<&str> {
        arn.split_once(":log-group:").map(|(_, name)| name)
    }
}

/// Without `:*`.
impl fmt::Display for LogGroupArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LogGroupArn {
            partition,
            region,
            account,
            group,
        } = self;
        write!(
            f,
            "arn:{partition}:logs:{region}:{account}:log-group:{group}"
        )
    }
}

/// A bucket of S3. Its ARN holds neither region nor account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BucketArn {
    /// `aws`, or that of another cloud of theirs.
    pub partition: String,
    /// Its name, 3 to 63 characters.
    pub bucket: String,
}

impl BucketArn {
    /// Reads one; `None` for anything else, also for that of an object.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts = parts(text, "s3")?;
        let bucket = parts.resource;
        let is_end = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_of_name = |byte: u8| is_end(byte) || b".-".contains(&byte);
        let ends = [bucket.bytes().next()?, bucket.bytes().next_back()?];
        let is_name = (3..=63).contains(&bucket.len())
            && all(bucket, is_of_name)
            && ends.into_iter().all(is_end);
        let is_nowhere = parts.region.is_empty() && parts.account.is_empty();
        (is_name && is_nowhere).then(|| BucketArn {
            partition: parts.partition.to_owned(),
            bucket: bucket.to_owned(),
        })
    }
}

impl fmt::Display for BucketArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:{}:s3:::{}", self.partition, self.bucket)
    }
}

/// A role of IAM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RoleArn {
    /// `aws`, or that of another cloud of theirs.
    pub partition: String,
    /// Its account, 12 digits.
    pub account: String,
    /// Its name, with its path before it.
    pub role: String,
}

impl RoleArn {
    /// Reads one; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts = parts(text, "iam")?;
        let role = parts.resource.strip_prefix("role/")?;
        let is_role = !role.is_empty() && !role.contains(['\n', '\r']);
        let is_legal = is_role && parts.region.is_empty() && is_account(parts.account);
        is_legal.then(|| RoleArn {
            partition: parts.partition.to_owned(),
            account: parts.account.to_owned(),
            role: role.to_owned(),
        })
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RoleArn {
            partition,
            account,
            role,
        } = self;
        write!(f, "arn:{partition}:iam::{account}:role/{role}")
    }
}

/// A key of KMS.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KmsKeyArn {
    /// `aws`, or that of another cloud of theirs.
    pub partition: String,
    /// Its region.
    pub region: String,
    /// Its account, 12 digits.
    pub account: String,
    /// Which one.
    pub key: KmsKey,
}

/// How a key is named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KmsKey {
    /// By its id.
    Id(String),
    /// By a name that stands for it.
    Alias(String),
}

impl KmsKeyArn {
    /// Reads one; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts = parts(text, "kms")?.regional()?;
        let is_of_alias = |byte: u8| byte.is_ascii_alphanumeric() || b":/_-".contains(&byte);
        let is_alias = |name: &str| (1..=256).contains(&name.len()) && all(name, is_of_alias);
        let key = match parts.resource.split_once('/')? {
            ("key", id) if is_word(id) => KmsKey::Id(id.to_owned()),
            ("alias", name) if is_alias(name) => KmsKey::Alias(name.to_owned()),
            _ => return None,
        };
        Some(KmsKeyArn {
            partition: parts.partition.to_owned(),
            region: parts.region.to_owned(),
            account: parts.account.to_owned(),
            key,
        })
    }
}

impl fmt::Display for KmsKeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let KmsKeyArn {
            partition,
            region,
            account,
            key,
        } = self;
        write!(f, "arn:{partition}:kms:{region}:{account}:")?;
        match key {
            KmsKey::Id(id) => write!(f, "key/{id}"),
            KmsKey::Alias(name) => write!(f, "alias/{name}"),
        }
    }
}

/// What of Lex has tags.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LexArn {
    /// `aws`, or that of another cloud of theirs.
    pub partition: String,
    /// Its region.
    pub region: String,
    /// Its account, 12 digits.
    pub account: String,
    /// Which one.
    pub resource: LexResource,
}

/// A resource of Lex. Names are not looked into but for colons.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LexResource {
    /// A bot.
    Bot {
        /// Its name.
        bot: String,
    },
    /// An alias of a bot.
    Alias {
        /// The bot's name.
        bot: String,
        /// Its name.
        alias: String,
    },
    /// A channel of an alias.
    Channel {
        /// The bot's name.
        bot: String,
        /// The alias's name.
        alias: String,
        /// Its name.
        channel: String,
    },
}

impl LexArn {
    /// Reads one; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts = parts(text, "lex")?.regional()?;
        let names: Vec<&str> = parts.resource.split(':').collect();
        if names.contains(&"") {
            return None;
        }
        let resource = match names.as_slice() {
            ["bot", bot] => LexResource::Bot {
                bot: (*bot).to_owned(),
            },
            ["bot", bot, alias] => LexResource::Alias {
                bot: (*bot).to_owned(),
                alias: (*alias).to_owned(),
            },
            ["bot-channel", bot, alias, channel] => LexResource::Channel {
                bot: (*bot).to_owned(),
                alias: (*alias).to_owned(),
                channel: (*channel).to_owned(),
            },
            _ => return None,
        };
        Some(LexArn {
            partition: parts.partition.to_owned(),
            region: parts.region.to_owned(),
            account: parts.account.to_owned(),
            resource,
        })
    }
}

impl fmt::Display for LexArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LexArn {
            partition,
            region,
            account,
            resource,
        } = self;
        write!(f, "arn:{partition}:lex:{region}:{account}:")?;
        match resource {
            LexResource::Bot { bot } => write!(f, "bot:{bot}"),
            LexResource::Alias { bot, alias } => write!(f, "bot:{bot}:{alias}"),
            LexResource::Channel {
                bot,
                alias,
                channel,
            } => write!(f, "bot-channel:{bot}:{alias}:{channel}"),
        }
    }
}
