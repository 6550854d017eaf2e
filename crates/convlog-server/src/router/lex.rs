//! The routes of Lex.

use axum::routing::{delete, get, post, put};

use super::route::{Access, Route, lex};
use super::{ADMIN, ERASE, READ, WRITE};
use crate::lex::{
    aliases, bots, builtins, content, exports, imports, intents, runtime, slot_types, tags,
    utterances,
};

pub(super) const ROUTES: &[Route] = &[
    lex("PUT", "/bots/{name}/versions/{version}", ADMIN, || {
        put(bots::put)
    }),
    lex("POST", "/bots/{name}/versions", ADMIN, || {
        post(bots::publish)
    }),
    lex("GET", "/bots/{name}/versions/{version}", READ, || {
        get(bots::get)
    }),
    lex("GET", "/bots", READ, || get(bots::list)).list(),
    lex("GET", "/bots/{name}/versions", READ, || get(bots::versions)).list(),
    lex("DELETE", "/bots/{name}", ADMIN, || delete(bots::delete)),
    lex("DELETE", "/bots/{name}/versions/{version}", ADMIN, || {
        delete(bots::delete_version)
    }),
    lex("PUT", "/bots/{name}/aliases/{alias}", ADMIN, || {
        put(aliases::put)
    }),
    lex("GET", "/bots/{name}/aliases/{alias}", READ, || {
        get(aliases::get)
    }),
    lex("GET", "/bots/{name}/aliases", READ, || get(aliases::list)).list(),
    lex("DELETE", "/bots/{name}/aliases/{alias}", ADMIN, || {
        delete(aliases::delete)
    }),
    lex("GET", "/bots/{name}/aliases/{alias}/channels", READ, || {
        get(aliases::channels)
    })
    .list(),
    lex(
        "GET",
        "/bots/{name}/aliases/{alias}/channels/{channel}",
        READ,
        || get(aliases::channel),
    ),
    lex(
        "DELETE",
        "/bots/{name}/aliases/{alias}/channels/{channel}",
        ADMIN,
        || delete(aliases::channel),
    ),
    lex("GET", "/bots/{name}/utterances", READ, || {
        get(utterances::view)
    })
    .list(),
    lex("DELETE", "/bots/{name}/utterances/{user}", ERASE, || {
        delete(utterances::delete)
    }),
    lex("GET", "/builtins/intents", READ, || get(builtins::intents)).list(),
    lex("GET", "/builtins/intents/{signature}", READ, || {
        get(builtins::intent)
    }),
    lex("GET", "/builtins/slottypes", READ, || {
        get(builtins::slot_types)
    })
    .list(),
    lex("POST", "/imports", ADMIN, || post(imports::start)).instance_wide(),
    lex("GET", "/imports/{import}", READ, || get(imports::get)),
    lex("GET", "/exports", READ, || get(exports::get)),
    lex("GET", "/exports/{ticket}", Access::Open, || {
        get(exports::fetch)
    }),
    lex("GET", "/migrations", READ, || get(exports::migrations)),
    lex("POST", "/migrations", ADMIN, || post(exports::migrate)),
    lex("GET", "/migrations/{migration}", READ, || {
        get(exports::migration)
    }),
    lex("PUT", "/intents/{name}/versions/{version}", ADMIN, || {
        put(intents::put)
    })
    .instance_wide(),
    lex("POST", "/intents/{name}/versions", ADMIN, || {
        post(intents::publish)
    })
    .instance_wide(),
    lex("GET", "/intents/{name}/versions/{version}", READ, || {
        get(intents::get)
    }),
    lex("GET", "/intents", READ, || get(intents::list)).list(),
    lex("GET", "/intents/{name}/versions", READ, || {
        get(intents::versions)
    })
    .list(),
    lex("DELETE", "/intents/{name}", ADMIN, || {
        delete(intents::delete)
    })
    .instance_wide(),
    lex(
        "DELETE",
        "/intents/{name}/versions/{version}",
        ADMIN,
        || delete(intents::delete_version),
    )
    .instance_wide(),
    lex("PUT", "/slottypes/{name}/versions/{version}", ADMIN, || {
        put(slot_types::put)
    })
    .instance_wide(),
    lex("POST", "/slottypes/{name}/versions", ADMIN, || {
        post(slot_types::publish)
    })
    .instance_wide(),
    lex("GET", "/slottypes/{name}/versions/{version}", READ, || {
        get(slot_types::get)
    }),
    lex("GET", "/slottypes", READ, || get(slot_types::list)).list(),
    lex("GET", "/slottypes/{name}/versions", READ, || {
        get(slot_types::versions)
    })
    .list(),
    lex("DELETE", "/slottypes/{name}", ADMIN, || {
        delete(slot_types::delete)
    })
    .instance_wide(),
    lex(
        "DELETE",
        "/slottypes/{name}/version/{version}",
        ADMIN,
        || delete(slot_types::delete_version),
    )
    .instance_wide(),
    lex(
        "POST",
        "/bot/{bot}/alias/{alias}/user/{user}/text",
        WRITE,
        || post(runtime::post_text),
    ),
    lex(
        "POST",
        "/bot/{bot}/alias/{alias}/user/{user}/content",
        WRITE,
        || post(content::post),
    )
    .unsigned(),
    lex(
        "POST",
        "/bot/{bot}/alias/{alias}/user/{user}/session",
        WRITE,
        || post(runtime::put_session),
    ),
    lex(
        "GET",
        "/bot/{bot}/alias/{alias}/user/{user}/session",
        WRITE,
        || get(runtime::get_session),
    ),
    lex(
        "DELETE",
        "/bot/{bot}/alias/{alias}/user/{user}/session",
        WRITE,
        || delete(runtime::delete_session),
    ),
    lex("GET", "/tags/{arn}", READ, || get(tags::list)),
    lex("POST", "/tags/{arn}", ADMIN, || post(tags::add)),
    lex("DELETE", "/tags/{arn}", ADMIN, || delete(tags::remove)),
];
