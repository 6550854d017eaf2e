//! The event log of the real process: what its tests share.

mod load;
mod property;

pub(crate) use self::load::{EXPORT_MIB_MAX, export_all};

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::{Client, KEY, Server};

pub(crate) const LIST: &str = "/api/v1/event/log/list";
pub(crate) const EXPORT: &str = "/api/v1/event/log/export";
pub(crate) const SUBSCRIBE: &str = "/api/v1/event/log/subscribe";
pub(crate) const CREATE: &str = "/api/v1/event/log/create";
const JSONL: &str = "application/jsonl";

/// An answer that is read as it comes, over a connection of its own.
#[derive(Debug)]
pub(crate) struct Stream {
    reader: BufReader<TcpStream>,
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    /// What has come and was not taken yet.
    text: Vec<u8>,
    taken: usize,
    is_over: bool,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) url: &'a str,
    pub(crate) key: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) accept: &'a str,
    pub(crate) body: &'a str,
}

impl<'a> Ask<'a> {
    /// A stream of lines of a list or an export.
    pub(crate) fn lines(url: &'a str, path: &'a str) -> Self {
        Ask {
            url,
            key: KEY,
            method: "GET",
            path,
            accept: JSONL,
            body: "",
        }
    }

    /// A subscription.
    pub(crate) fn subscription(url: &'a str, body: &'a str) -> Self {
        Ask {
            method: "POST",
            body,
            ..Ask::lines(url, SUBSCRIBE)
        }
    }

    /// Sends the request and reads nothing of the answer.
    pub(crate) fn send(&self) -> io::Result<TcpStream> {
        let address = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address)?;
        let Ask {
            key,
            method,
            path,
            accept,
            body,
            ..
        } = self;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\
             Accept: {accept}\r\nTE: trailers\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes())?;
        Ok(stream)
    }

    /// Sends the request and reads the head of the answer.
    pub(crate) fn open(&self) -> io::Result<Stream> {
        Stream::read(self.send()?)
    }
}

impl Stream {
    /// Reads the head of an answer.
    pub(crate) fn read(stream: TcpStream) -> io::Result<Self> {
        let mut stream = Stream {
            reader: BufReader::new(stream),
            status: 0,
            headers: Vec::new(),
            text: Vec::new(),
            taken: 0,
            is_over: false,
        };
        let line = stream.line_of_head()?;
        stream.status = line.split(' ').nth(1).unwrap().parse().unwrap();
        stream.fields()?;
        if let Some(length) = stream.header("content-length") {
            stream.text = vec![0; length.parse().unwrap()];
            stream.reader.read_exact(&mut stream.text)?;
            stream.is_over = true;
        }
        Ok(stream)
    }

    fn line_of_head(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.reader.read_line(&mut line)? == 0 || !line.ends_with('\n') {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }

    /// Headers, or trailers.
    fn fields(&mut self) -> io::Result<()> {
        loop {
            let line = self.line_of_head()?;
            let Some((name, value)) = line.split_once(':') else {
                return Ok(());
            };
            let field = (name.to_ascii_lowercase(), value.trim().to_owned());
            self.headers.push(field);
        }
    }

    /// A header, or a trailer once the answer is over.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    }

    /// Whether the answer has ended as it should.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The next piece as the server sent it; nothing at the end.
    fn piece(&mut self) -> io::Result<Vec<u8>> {
        if self.is_over {
            return Ok(Vec::new());
        }
        let line = self.line_of_head()?;
        let length = usize::from_str_radix(&line, 16).map_err(io::Error::other)?;
        if length == 0 {
            self.fields()?;
            self.is_over = true;
            return Ok(Vec::new());
        }
        let mut piece = vec![0; length + 2];
        self.reader.read_exact(&mut piece)?;
        piece.truncate(length);
        Ok(piece)
    }

    /// The next line; `None` at the end, an error where the connection breaks.
    pub(crate) fn line(&mut self) -> io::Result<Option<String>> {
        loop {
            let rest = &self.text[self.taken..];
            if let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
                let line = std::str::from_utf8(&rest[..length]).unwrap().to_owned();
                self.taken += length + 1;
                return Ok(Some(line));
            }
            self.text.drain(..self.taken);
            self.taken = 0;
            if self.is_over {
                assert!(self.text.is_empty(), "a line without an end");
                return Ok(None);
            }
            let piece = self.piece()?;
            self.text.extend(piece);
        }
    }

    /// The next item, past the signs of life.
    pub(crate) fn item(&mut self) -> io::Result<Option<Value>> {
        loop {
            let Some(line) = self.line()? else {
                return Ok(None);
            };
            let mut line: Value = serde_json::from_str(&line).unwrap();
            match line["type"].as_str() {
                Some("item") => return Ok(Some(line["data"].take())),
                Some("ping") => {}
                _ => panic!("neither an item nor a ping: {line}"),
            }
        }
    }

    /// All items up to the end.
    pub(crate) fn items(mut self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.body());
        let mut items = Vec::new();
        while let Some(item) = self.item().unwrap() {
            items.push(item);
        }
        items
    }

    /// What has come of an answer that is over.
    pub(crate) fn body(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

/// All items of a stream of lines.
pub(crate) fn streamed(server: &Server, path: &str) -> Vec<Value> {
    Ask::lines(&server.url, path).open().unwrap().items()
}

/// Items of a page.
pub(crate) fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().unwrap()
}

/// The text of a member.
pub(crate) fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    let text = value[name].as_str();
    text.unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// The ids of items.
pub(crate) fn ids(items: &[Value]) -> Vec<String> {
    items
        .iter()
        .map(|item| text(item, "id").to_owned())
        .collect()
}

/// All items of a walk in pages of `take`, until the empty one.
pub(crate) fn walk(client: &Client, order: &str, take: usize, rest: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!(
            "{LIST}?order={order}&take={take}&cursor={cursor}{rest}"
        ));
        let items = items(&page);
        assert!(items.len() <= take);
        if items.is_empty() {
            assert_eq!(page["cursor"], "");
            return found;
        }
        found.extend(items.iter().cloned());
        text(&page, "cursor").clone_into(&mut cursor);
    }
}

/// Keeps an event; its id.
pub(crate) fn create(server: &Server, event: &Value) -> String {
    text(&server.send("POST", CREATE, event), "id").to_owned()
}

/// Keeps many small events `PREFIX-0`… of type `PREFIX.x`, with an id of their own or not.
pub(crate) fn load(server: &Server, prefix: &str, n_events: usize) {
    for first in (0..n_events).step_by(10_000) {
        let numbers = first..n_events.min(first + 10_000);
        let lines: Vec<String> = numbers
            .map(|n| {
                json!({"type": format!("{prefix}.x"), "botId": "b", "meta": {"n": n}}).to_string()
            })
            .collect();
        let counts = server.load("chatbotkit", &lines);
        assert_eq!(counts["accepted"], lines.len(), "{counts}");
    }
}

/// Resident memory of a server in MiB.
pub(crate) fn rss_mib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: u64 = line
        .unwrap()
        .trim()
        .strip_suffix(" kB")
        .unwrap()
        .parse()
        .unwrap();
    kib >> 10
}
