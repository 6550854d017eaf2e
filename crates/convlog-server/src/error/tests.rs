//! Which status and text each error of a store becomes, and the form of a problem.

use super::*;

fn of(kind: ErrorKind) -> Fault {
    let error = StoreError::new(kind, "for the client");
    Fault::from(error.with_log("chunk 7 at offset 42").with_retry(1500))
}

#[test]
fn errors_of_the_store_become_faults() {
    for (kind, status, message, retry) in [
        (ErrorKind::Invalid, 400, "for the client", None),
        (ErrorKind::NotFound, 404, "for the client", None),
        (ErrorKind::Conflict, 409, "for the client", None),
        (ErrorKind::Busy, 503, "for the client", Some(2)),
        (ErrorKind::Full, 507, "for the client", None),
        (ErrorKind::Timeout, 503, "for the client", Some(2)),
        (ErrorKind::Unavailable, 503, "for the client", Some(2)),
        (ErrorKind::Corrupt, 500, "internal error", None),
        (ErrorKind::Internal, 500, "internal error", None),
    ] {
        let fault = of(kind);
        assert_eq!(fault.status().as_u16(), status, "{kind:?}");
        assert_eq!(fault.message(), message, "{kind:?}");
        assert_eq!(fault.retry_after_s(), retry, "{kind:?}");
    }
}

#[test]
fn a_busy_store_always_says_when_to_try_again() {
    let fault = Fault::from(StoreError::new(ErrorKind::Busy, "busy"));
    assert_eq!(fault.retry_after_s(), Some(1));
}

#[test]
fn a_problem_names_the_field() {
    let problem = Problem::of(&Fault::bad_at("filter", "unexpected end at column 7"));
    assert_eq!(
        serde_json::to_string(&problem).unwrap(),
        r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"filter: unexpected end at column 7","errors":[{"message":"unexpected end at column 7","path":"filter"}]}"#
    );
}

#[test]
fn a_problem_whose_message_begins_with_the_field_names_it_once() {
    let problem = Problem::of(&Fault::bad_at("connector.url", "connector.url is required"));
    assert_eq!(problem.detail, "connector.url is required");
}

#[test]
fn an_internal_fault_shows_nothing_of_its_log() {
    let problem = Problem::of(&Fault::internal("chunk 7 at offset 42"));
    assert_eq!(
        serde_json::to_string(&problem).unwrap(),
        r#"{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"internal error"}"#
    );
}

#[test]
fn bare_failures_of_the_framework_become_faults() {
    for status in [401, 404, 405, 413, 415] {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(Fault::of_status(status).unwrap().status(), status);
    }
    let teapot = Fault::of_status(StatusCode::IM_A_TEAPOT).unwrap();
    assert_eq!(teapot, Fault::bad("the request cannot be understood"));
    assert_eq!(Fault::of_status(StatusCode::OK), None);
}
