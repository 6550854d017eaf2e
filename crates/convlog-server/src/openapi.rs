//! The description of the own API, made of the handlers and the route table, and the page that
//! shows it, from a package and without another host.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use axum::{Json, Router};
use utoipa::openapi::path::{HttpMethod, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, Required};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::app::App;
use crate::router::{Access, Envelope, ROUTES, Route};
use crate::{
    aggregate, audit, backup, bots, definitions, erasures, export, health, hooks, hooks_admin,
    instances, keys, metrics, records, redaction, settings, stats, upkeep,
};

const DOCUMENT: &str = "/convlog/v1/openapi.json";
const PAGE: &str = "/convlog/v1/docs";

#[derive(OpenApi)]
#[openapi(
    info(title = "convlog", description = "Keeps conversations and finds them again."),
    paths(
        aggregate::run,
        audit::list,
        backup::start,
        bots::list,
        bots::get,
        bots::put,
        bots::delete,
        crate::deliveries::admin::list,
        crate::deliveries::admin::retry,
        crate::deliveries::admin::of_record,
        definitions::put,
        definitions::get,
        erasures::create,
        erasures::list,
        erasures::get,
        export::start,
        health::live,
        health::ready,
        hooks::receive,
        hooks_admin::put,
        hooks_admin::get,
        hooks_admin::delete,
        instances::create,
        instances::list,
        keys::create,
        keys::list,
        keys::revoke,
        metrics::show,
        records::create,
        records::list,
        records::get,
        redaction::put,
        redaction::get,
        redaction::put_of_bot,
        redaction::get_of_bot,
        redaction::preview,
        settings::put,
        settings::get,
        stats::get,
        upkeep::get,
        upkeep::confirm,
        document,
    ),
    modifiers(&FromTable)
)]
struct Described;

/// What the route table knows of each operation: who may, and which headers it takes.
struct FromTable;

impl Modify for FromTable {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        for (name, scheme, text) in [
            (
                "bearer",
                HttpAuthScheme::Bearer,
                "a key, `ID.SECRET`, or a token that stands for it",
            ),
            (
                "basic",
                HttpAuthScheme::Basic,
                "user `apikey`, password `ID.SECRET`",
            ),
        ] {
            let mut http = Http::new(scheme);
            http.description = Some(text.to_owned());
            components.add_security_scheme(name, SecurityScheme::Http(http));
        }
        for route in ROUTES
            .iter()
            .filter(|route| route.envelope == Envelope::Own)
        {
            describe(document, route);
        }
    }
}

fn describe(document: &mut Document, route: &Route) {
    let method = match route.method {
        "GET" => HttpMethod::Get,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Post,
    };
    let Some(item) = document.paths.paths.get_mut(route.path) else {
        return;
    };
    let operation = match method {
        HttpMethod::Get => &mut item.get,
        HttpMethod::Put => &mut item.put,
        HttpMethod::Delete => &mut item.delete,
        _ => &mut item.post,
    };
    let Some(operation) = operation else { return };
    let name = route.path.trim_start_matches('/').replace(['{', '}'], "");
    let name = name.trim_start_matches("convlog/v1/").replace('/', "_");
    operation.operation_id = Some(format!("{}_{name}", route.method.to_lowercase()));
    let needs = match route.access {
        Access::Open => "Needs no key.".to_owned(),
        Access::Key => "Needs a key.".to_owned(),
        Access::Role(role) => format!("Needs a key with the role `{role}`."),
    };
    let scope = match route.is_instance_wide && route.access != Access::Open {
        true => " A key that is limited to some bots is refused.",
        false => "",
    };
    let before = operation.description.take().unwrap_or_default();
    operation.description = Some(format!("{before}\n\n{needs}{scope}").trim().to_owned());
    if route.access != Access::Open {
        operation.security = Some(
            ["bearer", "basic"]
                .map(|name| SecurityRequirement::new(name, Vec::<String>::new()))
                .to_vec(),
        );
    }
    if route.is_creating {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .max_length(Some(255));
        let key = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("for 24 hours the same key is the same request"))
            .schema(Some(text))
            .build();
        operation.parameters.get_or_insert_default().push(key);
    }
}

/// This description.
#[utoipa::path(get, path = "/convlog/v1/openapi.json", tag = "server", responses(
    (status = 200, description = "OpenAPI 3.1", body = Object),
))]
pub(crate) async fn document() -> Json<Document> {
    Json(Described::openapi())
}

/// The page; it loads nothing from elsewhere and may not.
pub(crate) fn page() -> Router<App> {
    let config = Config::from(DOCUMENT).validator_url("none");
    let page: Router<App> = SwaggerUi::new(PAGE).config(config).into();
    page.layer(axum::middleware::map_response(locked))
}

const CONTENT_POLICY: &str = "default-src 'self'; img-src 'self' data:; \
    style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

async fn locked(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    let policy = HeaderName::from_static("content-security-policy");
    headers.insert(policy, HeaderValue::from_static(CONTENT_POLICY));
    let sniff = header::X_CONTENT_TYPE_OPTIONS;
    headers.insert(sniff, HeaderValue::from_static("nosniff"));
    answer
}
