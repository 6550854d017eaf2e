//! What changes log groups.

use crate::cloudwatch::call;
use crate::harness::Server;

const GROUP: &str = r#"{"logGroupName":"lex"}"#;

pub(super) async fn create(server: Server) {
    call(&server, "CreateLogGroup", GROUP).await;
}

pub(super) async fn with_group() -> Server {
    let server = Server::start().await;
    create(server.clone()).await;
    server
}

pub(super) async fn put_retention(server: Server) {
    let body = r#"{"logGroupName":"lex","retentionInDays":30}"#;
    call(&server, "PutRetentionPolicy", body).await;
}

pub(super) async fn delete(server: Server) {
    call(&server, "DeleteLogGroup", GROUP).await;
}
