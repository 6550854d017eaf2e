//! Every route of every dialect, as data: method, path, what a key must be allowed to do, and the
//! envelope of its errors. A test walks each route with each role, instance and scope.

mod lex;
mod prefix;
mod route;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post, put};

use self::prefix::without_prefix;
pub use self::route::{Access, Envelope, Route};
use self::route::{flat, logs, own, watson};

use tower_http::compression::CompressionLayer;

use crate::app::App;
use crate::auth::Role;
use crate::chatbotkit::{
    bots as flat_bots, conversations, create as event_create, list as event_list, messages,
    subscribe, usage,
};
use crate::deliveries::admin as deliveries;
use crate::error::Fault;
use crate::middleware::{self, Guarded};
use crate::watson::{definitions, logs, message_v1, message_v2, session, user_data};
use crate::{
    aggregate, audit, backup, bots, cloudwatch, definitions as definitions_own, erasures, export,
    health, hooks, hooks_admin, idempotency, instances, keys, metrics, openapi, records, redaction,
    settings, stats, tokens, upkeep,
};

const WRITE: Access = Access::Role(Role::Write);
const READ: Access = Access::Role(Role::Read);
const ERASE: Access = Access::Role(Role::Erase);
const ADMIN: Access = Access::Role(Role::Admin);
const OPERATOR: Access = Access::Role(Role::Operator);

/// Every route.
pub static ROUTES: &[Route] = &joined::<{ ROUTES_HERE.len() + lex::ROUTES.len() }>();

const fn joined<const N: usize>() -> [Route; N] {
    let mut all = [ROUTES_HERE[0]; N];
    let mut i = 0;
    while i < N {
        all[i] = match i < ROUTES_HERE.len() {
            true => ROUTES_HERE[i],
            false => lex::ROUTES[i - ROUTES_HERE.len()],
        };
        i += 1;
    }
    all
}

const ROUTES_HERE: &[Route] = &[
    watson("POST", "/identity/token", Access::Open, || {
        post(tokens::iam)
    }),
    watson("POST", "/v1/authorize", Access::Open, || post(tokens::cp4d)),
    watson("POST", "/v1/workspaces/{id}/message", WRITE, || {
        post(message_v1::message)
    }),
    watson("GET", "/v1/workspaces/{id}", READ, || {
        get(definitions::workspace)
    }),
    watson("GET", "/v1/workspaces/{id}/logs", READ, || {
        get(logs::of_workspace)
    })
    .list(),
    watson("GET", "/v1/logs", READ, || get(logs::all)).list(),
    watson("DELETE", "/v1/user_data", ERASE, || {
        delete(user_data::delete)
    })
    .instance_wide(),
    watson("DELETE", "/v2/user_data", ERASE, || {
        delete(user_data::delete)
    })
    .instance_wide(),
    watson("GET", "/v2/assistants/{id}/logs", READ, || {
        get(logs::of_assistant)
    })
    .list(),
    watson("GET", "/v2/assistants/{id}/skills_export", READ, || {
        get(definitions::skills)
    }),
    watson("POST", "/v2/assistants/{id}/sessions", WRITE, || {
        post(session::create)
    }),
    watson(
        "DELETE",
        "/v2/assistants/{id}/sessions/{session}",
        WRITE,
        || delete(session::delete),
    ),
    watson(
        "POST",
        "/v2/assistants/{id}/sessions/{session}/message",
        WRITE,
        || post(message_v2::stateful),
    ),
    watson(
        "POST",
        "/v2/assistants/{id}/sessions/{session}/message_stream",
        WRITE,
        || post(message_v2::stateful_stream),
    ),
    watson("POST", "/v2/assistants/{id}/message", WRITE, || {
        post(message_v2::stateless)
    }),
    watson("POST", "/v2/assistants/{id}/message_stream", WRITE, || {
        post(message_v2::stateless_stream)
    }),
    watson(
        "POST",
        "/v2/assistants/{id}/environments/{environment}/sessions",
        WRITE,
        || post(session::create),
    ),
    watson(
        "DELETE",
        "/v2/assistants/{id}/environments/{environment}/sessions/{session}",
        WRITE,
        || delete(session::delete),
    ),
    watson(
        "POST",
        "/v2/assistants/{id}/environments/{environment}/sessions/{session}/message",
        WRITE,
        || post(message_v2::stateful),
    ),
    watson(
        "POST",
        "/v2/assistants/{id}/environments/{environment}/sessions/{session}/message_stream",
        WRITE,
        || post(message_v2::stateful_stream),
    ),
    watson(
        "POST",
        "/v2/assistants/{id}/environments/{environment}/message",
        WRITE,
        || post(message_v2::stateless),
    ),
    watson(
        "POST",
        "/v2/assistants/{id}/environments/{environment}/message_stream",
        WRITE,
        || post(message_v2::stateless_stream),
    ),
    flat("GET", "/v1/event/log/list", READ, || {
        listed(get(event_list::log_list))
    })
    .list(),
    flat("GET", "/v1/event/log/export", READ, || {
        listed(get(event_list::log_export))
    }),
    flat("POST", "/v1/event/log/subscribe", READ, || {
        post(subscribe::subscribe)
    }),
    flat("POST", "/v1/event/log/create", WRITE, || {
        post(event_create::event)
    })
    .creating(),
    flat("GET", "/v1/event/metric/list", READ, || {
        listed(get(event_list::metric_list))
    })
    .list(),
    flat("GET", "/v1/event/metric/export", READ, || {
        listed(get(event_list::metric_export))
    }),
    flat("GET", "/v1/event/metric/series/fetch", READ, || {
        get(usage::series)
    }),
    flat("GET", "/v1/usage/fetch", READ, || get(usage::fetch)),
    flat("POST", "/v1/conversation/create", WRITE, || {
        post(conversations::create)
    })
    .creating(),
    flat("GET", "/v1/conversation/list", READ, || {
        listed(get(conversations::list))
    })
    .list(),
    flat("GET", "/v1/conversation/{id}/fetch", READ, || {
        get(conversations::fetch)
    }),
    flat(
        "POST",
        "/v1/conversation/{id}/message/create",
        WRITE,
        || post(messages::create),
    )
    .creating(),
    flat("GET", "/v1/conversation/{id}/message/list", READ, || {
        listed(get(messages::list))
    })
    .list(),
    flat("POST", "/v1/bot/create", ADMIN, || post(flat_bots::create))
        .instance_wide()
        .creating(),
    flat("GET", "/v1/bot/list", READ, || listed(get(flat_bots::list))).list(),
    flat("GET", "/v1/bot/{id}/fetch", READ, || get(flat_bots::fetch)),
    flat("POST", "/v1/bot/{id}/update", ADMIN, || {
        post(flat_bots::update)
    }),
    flat("POST", "/v1/bot/{id}/delete", ADMIN, || {
        post(flat_bots::delete)
    }),
    flat("GET", "/v1/audit/log/list", ADMIN, || {
        listed(get(event_list::audit_list))
    })
    .instance_wide()
    .list(),
    flat("GET", "/v1/audit/log/export", ADMIN, || {
        listed(get(event_list::audit_export))
    })
    .instance_wide(),
    logs("POST", "/", || post(cloudwatch::dispatch)),
    own(
        "POST",
        "/convlog/v1/hooks/watson/{hook}",
        Access::Open,
        || post(hooks::receive),
    ),
    own("GET", "/health/live", Access::Open, || get(health::live)),
    own("GET", "/health/ready", Access::Open, || get(health::ready)),
    own("GET", "/metrics", Access::Open, || get(metrics::show)),
    own("GET", "/convlog/v1/openapi.json", Access::Open, || {
        get(openapi::document)
    }),
    own("POST", "/convlog/v1/records", WRITE, || {
        post(records::create)
    })
    .bulk()
    .creating(),
    own("GET", "/convlog/v1/records", READ, || get(records::list)).list(),
    own("GET", "/convlog/v1/records/{id}/audio", READ, || {
        get(deliveries::of_record)
    }),
    own("GET", "/convlog/v1/records/{id}", READ, || {
        get(records::get)
    }),
    own("POST", "/convlog/v1/aggregate", READ, || {
        post(aggregate::run)
    }),
    own("GET", "/convlog/v1/export", READ, || get(export::start)),
    own("GET", "/convlog/v1/bots", READ, || get(bots::list)).list(),
    own("GET", "/convlog/v1/bots/{id}", READ, || get(bots::get)),
    own("PUT", "/convlog/v1/bots/{id}", ADMIN, || put(bots::put)),
    own("DELETE", "/convlog/v1/bots/{id}", ADMIN, || {
        delete(bots::delete)
    }),
    own("PUT", "/convlog/v1/bots/{id}/definition", ADMIN, || {
        put(definitions_own::put)
    }),
    own("GET", "/convlog/v1/bots/{id}/definition", ADMIN, || {
        get(definitions_own::get)
    }),
    own("PUT", "/convlog/v1/settings", ADMIN, || put(settings::put)).instance_wide(),
    own("GET", "/convlog/v1/settings", ADMIN, || get(settings::get)),
    own("PUT", "/convlog/v1/redaction", ADMIN, || {
        put(redaction::put)
    })
    .instance_wide(),
    own("GET", "/convlog/v1/redaction", ADMIN, || {
        get(redaction::get)
    }),
    own("PUT", "/convlog/v1/bots/{id}/redaction", ADMIN, || {
        put(redaction::put_of_bot)
    }),
    own("GET", "/convlog/v1/bots/{id}/redaction", ADMIN, || {
        get(redaction::get_of_bot)
    }),
    own("POST", "/convlog/v1/redaction/preview", ADMIN, || {
        post(redaction::preview)
    }),
    own("POST", "/convlog/v1/erasures", ERASE, || {
        post(erasures::create)
    })
    .instance_wide()
    .creating(),
    own("GET", "/convlog/v1/erasures", ERASE, || get(erasures::list))
        .instance_wide()
        .list(),
    own("GET", "/convlog/v1/erasures/{id}", ERASE, || {
        get(erasures::get)
    })
    .instance_wide(),
    own("PUT", "/convlog/v1/hooks/{hook}", ADMIN, || {
        put(hooks_admin::put)
    })
    .instance_wide(),
    own("GET", "/convlog/v1/hooks/{hook}", ADMIN, || {
        get(hooks_admin::get)
    })
    .instance_wide(),
    own("DELETE", "/convlog/v1/hooks/{hook}", ADMIN, || {
        delete(hooks_admin::delete)
    })
    .instance_wide(),
    own("GET", "/convlog/v1/stats", ADMIN, || get(stats::get)).instance_wide(),
    own("POST", "/convlog/v1/keys", ADMIN, || post(keys::create))
        .instance_wide()
        .creating(),
    own("GET", "/convlog/v1/keys", ADMIN, || get(keys::list)).instance_wide(),
    own("DELETE", "/convlog/v1/keys/{id}", ADMIN, || {
        delete(keys::revoke)
    })
    .instance_wide(),
    own("POST", "/convlog/v1/instances", OPERATOR, || {
        post(instances::create)
    })
    .instance_wide()
    .creating(),
    own("GET", "/convlog/v1/instances", OPERATOR, || {
        get(instances::list)
    })
    .instance_wide(),
    own("GET", "/convlog/v1/retention", ADMIN, || get(upkeep::get)).instance_wide(),
    own("POST", "/convlog/v1/retention", ADMIN, || {
        post(upkeep::confirm)
    })
    .instance_wide(),
    own("POST", "/convlog/v1/backup", ADMIN, || post(backup::start))
        .instance_wide()
        .bulk(),
    own("GET", "/convlog/v1/deliveries", ADMIN, || {
        get(deliveries::list)
    })
    .instance_wide(),
    own("POST", "/convlog/v1/deliveries/{id}/retry", ADMIN, || {
        post(deliveries::retry)
    })
    .instance_wide(),
    own("GET", "/convlog/v1/audit", ADMIN, || get(audit::list))
        .instance_wide()
        .list(),
];

/// The URI of a request as it came over the wire.
#[derive(Clone, Debug)]
pub(crate) struct SentUri(pub axum::http::Uri);

/// A list or an export of ChatBotKit's: compressed for whoever takes it, and `HEAD` does nothing.
fn listed(handler: axum::routing::MethodRouter<App>) -> axum::routing::MethodRouter<App> {
    let compressed = handler.layer(CompressionLayer::new());
    compressed.head(event_list::head)
}

/// The whole server as a service.
pub fn router(app: App) -> Router {
    let mut routes = Router::new();
    for route in ROUTES {
        let guarded = Guarded {
            app: app.clone(),
            route,
        };
        let guard = from_fn_with_state(guarded, middleware::guard);
        let mut handler = (route.handler)();
        if route.is_creating {
            let keyed = from_fn_with_state(app.clone(), idempotency::around);
            handler = handler.route_layer(keyed);
        }
        routes = routes.route(route.path, handler.route_layer(guard));
    }
    let routes = routes
        .merge(openapi::page())
        .fallback(|| async { Fault::not_found("Resource not found") })
        .method_not_allowed_fallback(|| async { Fault::MethodNotAllowed });
    let routes = middleware::around(routes, &app).with_state(app);
    // Prefixes are taken off before a route is looked for, so that none of them adds a parameter.
    let plain = tower::util::MapRequestLayer::new(|mut request: axum::extract::Request| {
        let sent = SentUri(request.uri().clone());
        request.extensions_mut().insert(sent);
        if let Some(uri) = without_prefix(request.uri()) {
            *request.uri_mut() = uri;
        }
        request
    });
    Router::new().fallback_service(tower::Layer::layer(&plain, routes))
}

#[cfg(test)]
mod tests;
