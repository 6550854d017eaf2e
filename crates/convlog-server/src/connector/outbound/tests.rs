//! Where the client connects to and what it refuses.

use super::reach::BadRule;
use super::*;

fn reach(entries: &[&str], loopback: bool) -> Reach {
    let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
    Reach::new(&entries, loopback).unwrap()
}

fn allows(reach: &Reach, address: &str) -> bool {
    reach.allows("host.example", address.parse().unwrap())
}

#[test]
fn public_addresses_are_reached_and_others_only_by_name() {
    let closed = reach(&[], false);
    for public in ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"] {
        assert!(allows(&closed, public), "{public}");
    }
    let open = reach(
        &["10.1.0.0/16", "192.168.1.5", "fd00::/8", "Host.Example"],
        false,
    );
    let only_nets = reach(&["10.1.0.0/16", "192.168.1.5", "fd00::/8"], false);
    for private in ["10.1.2.3", "192.168.1.5", "fd12::1"] {
        assert!(!allows(&closed, private), "{private}");
        assert!(allows(&only_nets, private), "{private}");
    }
    assert!(!allows(&only_nets, "10.2.0.1") && allows(&open, "10.2.0.1"));
    assert!(!allows(&closed, "127.0.0.1") && allows(&reach(&[], true), "127.0.0.1"));
}

#[test]
fn addresses_that_only_look_public_are_not_reached() {
    let closed = reach(&[], false);
    for hidden in [
        "0.0.0.0",
        "127.9.9.9",
        "169.254.169.254",
        "100.64.0.1",
        "172.16.0.1",
        "192.0.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:db8::1",
    ] {
        assert!(!allows(&closed, hidden), "{hidden}");
    }
}

#[test]
fn entries_that_are_no_addresses_are_refused_by_index() {
    for bad in ["10.0.0.0/33", "10.0.0.0/x", "a/b", "", "http://x", "::/129"] {
        let entries = ["10.0.0.1".to_owned(), bad.to_owned()];
        assert_eq!(Reach::new(&entries, false), Err((1, BadRule)), "{bad}");
    }
}

async fn refusal(url: &str) -> String {
    let outbound = Outbound::new(reach(&[], false)).unwrap();
    let wait = Duration::from_secs(5);
    let answer = outbound
        .call(reqwest::Method::GET, url, HeaderMap::new(), None, wait)
        .await;
    answer.unwrap_err().to_string()
}

#[tokio::test]
async fn forbidden_targets_are_refused_before_a_connection() {
    let forbidden =
        "its address is loopback, private or reserved, and [connectors] allow does not name it";
    assert_eq!(refusal("http://127.0.0.1:1/").await, forbidden);
    assert_eq!(refusal("http://[::1]:1/").await, forbidden);
    assert_eq!(refusal("http://0x7f000001:1/").await, forbidden);
    assert_eq!(refusal("http://localhost:1/").await, forbidden);
    assert_eq!(
        refusal("file:///etc/passwd").await,
        "its address is no http or https URL"
    );
    assert_eq!(
        refusal("nonsense").await,
        "its address is no http or https URL"
    );
}
