//! One turn of a conversation: who is asked, what the session knows, what the bot answers, what is
//! logged of it.

use std::ops::ControlFlow;

use convlog_dialects::lex::dialog::{self, Answer, DialogMode, DialogState, Request, Step};
use convlog_dialects::lex::neutral as lex_neutral;
use convlog_model::json::Json;
use convlog_model::record::Draft;
use convlog_model::store::{StateWrite, Stored};

use super::heard::Heard;
use super::known::Ready;
use super::reply::Reply;
use super::session::{self, Session, State, state_id};
use super::target::{Address, Attributes, Question, Target};
use super::{delivery, hook, sentiment, voice};
use crate::aws::{AwsError, Call, Refusal};
use crate::bots::ConnectorConfig;
use crate::connector::neutral::{self, Carried};
use crate::connector::{self, Ask, Failure};
use crate::error::Fault;
use crate::events::OwnEvent;
use crate::sessions;

/// Hears what a user says, answers and logs it.
///
/// # Errors
/// 404 for an unknown bot or alias, 424 for a function or connector that failed; what the store
/// answers.
pub(super) async fn run(call: Call, to: Address, question: Question) -> Result<Reply, Refusal> {
    let mut held = match hold(&call, &to).await? {
        ControlFlow::Break(reply) => return Ok(reply),
        ControlFlow::Continue(held) => held,
    };
    let question = heard(&call, question).await?;
    let customer = name_customer(&call, &question, &mut held.session)?;
    let door = call.app.ingest();
    door.before_asking(&call.caller, &to.bot, || None).await?;
    let requested = call.app.now();
    let ready = held.target.ready(&call, &held.session.version).await?;
    let said = question.utterance.as_deref().unwrap_or_default();
    let asking = ask(
        &call,
        (&held.target, &ready),
        &to,
        &question,
        &mut held.session,
    );
    let asking = connector::in_time(&call.app, asking);
    let feeling = sentiment::of(&call.app, &call.caller, ready.compiled.bot(), said);
    let (asked, sentiment) = tokio::join!(asking, feeling);
    let (answer, failure) = match asked {
        Ok(answer) => (answer, None),
        Err(failure) => (failed(), Some(failure)),
    };
    held.session.turns += 1;
    let session = &held.session;
    let reply = Reply::new(
        &answer,
        (said, &call.request_id),
        session,
        &ready.compiled.bot().locale,
    );
    let reply = reply.feeling(sentiment.as_ref());
    let (underway, audio) = delivery::audio(&call, (&to, &question), session, &customer).await?;
    let heard = Heard {
        call: &call,
        to: &to,
        question: &question,
        ready: &ready,
        session,
        answer: &answer,
        customer: customer.as_deref(),
        requested,
        failure: failure.as_ref(),
        sentiment: sentiment.as_ref(),
        audio: audio.as_deref(),
    };
    let draft = heard.draft()?;
    let (underway, draft) = delivery::text(underway, (session, &question), draft).await?;
    let built_in = delivery::built_in(&call, &to, session, draft.as_ref());
    let logs_text = draft.is_some();
    let answered = match &failure {
        None => Ok(&reply),
        Some(failure) => Err(failure),
    };
    let closed = held.close(&call, answered, draft).await?;
    if !closed.is_erased && (closed.kept.is_some() || !logs_text) {
        underway.go();
        if let (Some(built_in), Some(kept)) = (built_in, closed.kept) {
            built_in.tally(&call, &kept).await;
        }
    }
    match failure {
        None => Ok(reply),
        Some(failure) => Err(refused(failure).into()),
    }
}

/// Does what a `PutSession` asks for. Its turn is no utterance, and is not logged.
///
/// # Errors
/// 404 for an unknown bot or alias, 400 for a body that the bot does not fit, 424 for a function
/// that failed; what the store answers.
pub(super) async fn put(call: Call, to: Address, body: Json) -> Result<Reply, Refusal> {
    let mut held = match hold(&call, &to).await? {
        ControlFlow::Break(reply) => return Ok(reply),
        ControlFlow::Continue(held) => held,
    };
    let session = &mut held.session;
    let ready = held.target.ready(&call, &session.version).await?;
    let none = Attributes::new();
    let asked = Request {
        utterance: None,
        session_attributes: None,
        request_attributes: &none,
        active_contexts: None,
        user_id: &to.user,
        bot_alias: &to.alias,
        now_ms: call.app.now().millis(),
        dialog_mode: DialogMode::Text,
    };
    let step = dialog::put_session(&ready.compiled, &mut session.dialog, &body, &asked)?;
    let going = go_on(&call, &ready, session, step);
    let answer = connector::in_time(&call.app, going)
        .await
        .map_err(refused)?;
    let reply = Reply::new(
        &answer,
        ("", &call.request_id),
        session,
        &ready.compiled.bot().locale,
    );
    held.close(&call, Ok(&reply), None).await?;
    Ok(reply)
}

/// A session, held against further turns of its user.
struct Held {
    id: String,
    target: Target,
    state: State,
    session: Session,
    /// Tells the request from others when it is sent again.
    request: Option<String>,
    gate: sessions::Turn,
}

/// Holds the session of an address, unless the request was answered before.
async fn hold(call: &Call, to: &Address) -> Result<ControlFlow<Reply, Held>, Refusal> {
    let target = Target::find(call, to).await?;
    let id = state_id(&to.bot, &to.user);
    let gate = call.app.sessions().turn(&call.caller.instance, &id).await;
    let mut state = State::load(&call.app, &call.caller.instance, &id).await?;
    let request = call.resend_key();
    if let Some(reply) = state.answered(request.as_deref()) {
        return Ok(ControlFlow::Break(reply.clone()));
    }
    let session = open(call, &target, to, &mut state).await?;
    target.require_built(&session.version)?;
    Ok(ControlFlow::Continue(Held {
        id,
        target,
        state,
        session,
        request,
        gate,
    }))
}

/// What became of a turn that has its answer.
struct Closed {
    /// The turn, where there was one to keep and the bot keeps any.
    kept: Option<Stored>,
    /// Whether somebody was erased meanwhile of whom the session may tell; then it is gone too.
    is_erased: bool,
}

impl Held {
    /// Keeps the session, and the turn with it.
    async fn close(
        mut self,
        call: &Call,
        answered: Result<&Reply, &Failure>,
        draft: Option<Draft>,
    ) -> Result<Closed, Refusal> {
        let (app, instance) = (&call.app, &call.caller.instance);
        self.state.session = Some(self.session);
        if let Ok(reply) = answered {
            self.state.keep(self.request, reply, app.now());
        }
        let write = self.state.renewed(instance, &self.id, app.now());
        let customers = write.customers.clone();
        app.sessions().lives_until(&write);
        let failure = answered.err();
        let event =
            failure.and_then(|failure| failure.event(app, &call.caller, &self.target.bot.doc));
        let kept = keep(call, write, draft, event).await?;
        let is_erased = customers
            .iter()
            .any(|customer| self.gate.was_erased(customer));
        if is_erased {
            sessions::end(app, instance, &self.id).await?;
        }
        Ok(Closed { kept, is_erased })
    }
}

/// The question with what was said, where it was spoken and somebody understands it.
async fn heard(call: &Call, mut question: Question) -> Result<Question, AwsError> {
    if let Some(audio) = &question.audio {
        let said = voice::transcript(&call.app, &audio.content_type, &audio.bytes);
        question.utterance = said.await?;
    }
    Ok(question)
}

/// The customer of a turn, whom its session knows from now on.
fn name_customer(
    call: &Call,
    question: &Question,
    session: &mut Session,
) -> Result<Option<String>, AwsError> {
    let customer = session::customer(call, question.request_attributes.as_ref())?;
    match &customer {
        Some(customer) if !session.name(customer) => {
            Err(AwsError::bad("The session has named too many customers."))
        }
        _ => Ok(customer),
    }
}

/// The session of an address, or a new one.
async fn open(
    call: &Call,
    target: &Target,
    to: &Address,
    state: &mut State,
) -> Result<Session, Refusal> {
    let running = state
        .session
        .take()
        .filter(|session| target.serves(session));
    if let Some(session) = running {
        return Ok(session);
    }
    begin(call, target, to).await
}

/// A new session, with the settings that hold now.
pub(super) async fn begin(call: &Call, target: &Target, to: &Address) -> Result<Session, Refusal> {
    if call.app.sessions().require_room(call.app.now()).is_err() {
        return Err(AwsError::limit("Too many sessions are alive.").into());
    }
    let ready = target.ready(call, &target.version).await?;
    let bot = ready.compiled.bot();
    let mut session = Session::new(
        &call.app,
        (&to.alias, target.since_us),
        &target.version,
        bot.idle_session_ttl_s,
    );
    session.logs = target.logs.clone().filter(|_| !bot.child_directed);
    Ok(session)
}

/// What the bot answers.
async fn ask(
    call: &Call,
    (target, ready): (&Target, &Ready),
    to: &Address,
    question: &Question,
    session: &mut Session,
) -> Result<Answer, Failure> {
    let bot = &target.bot;
    let none = Attributes::new();
    let request = Request {
        utterance: question.utterance.as_deref(),
        session_attributes: question.session_attributes.clone(),
        request_attributes: question.request_attributes.as_ref().unwrap_or(&none),
        active_contexts: question.active_contexts.clone(),
        user_id: &to.user,
        bot_alias: &to.alias,
        now_ms: call.app.now().millis(),
        dialog_mode: match question.is_heard {
            true => DialogMode::Voice,
            false => DialogMode::Text,
        },
    };
    if bot.doc.connector == ConnectorConfig::Lex {
        let step = dialog::turn(&ready.compiled, &mut session.dialog, &request);
        return go_on(call, ready, session, step).await;
    }
    connector::require(&bot.doc)?;
    let attributes = request.session_attributes.unwrap_or_default();
    let text = question.utterance.as_deref().unwrap_or_default();
    let input = Json::object([("text", Json::string(text))]);
    let context = session.context.clone();
    let ask = Ask {
        bot: &bot.doc.id,
        language: &bot.doc.language,
        session: &session.id,
        user: &to.user,
        input: Some(&input),
        context: Some(&context),
        passed_on: connector::passed_on(&call.headers),
    };
    let carried = Carried {
        context: &mut session.context,
        upstream: &mut session.upstream,
    };
    let reply = neutral::ask(&call.app, bot, &ask, carried).await?;
    Ok(lex_neutral::answer(&reply, text, attributes))
}

/// Calls the functions of a turn until it has its answer.
async fn go_on(
    call: &Call,
    ready: &Ready,
    session: &mut Session,
    mut step: Step,
) -> Result<Answer, Failure> {
    loop {
        let hooked = match step {
            Step::Done(answer) => return Ok(*answer),
            Step::Hook(hooked) => hooked,
        };
        let answered = hook::call(&call.app, &hooked.uri, &hooked.event).await?;
        let dialog = &mut session.dialog;
        step = dialog::resume(&ready.compiled, dialog, hooked.pending, &answered)
            .map_err(|error| hook::bad_answer(&error.to_string()))?;
    }
}

/// What is logged of a turn that nothing answered.
fn failed() -> Answer {
    let mut answer = lex_neutral::answer(&Default::default(), "", Attributes::new());
    answer.dialog_state = DialogState::Failed;
    answer
}

fn refused(failure: Failure) -> AwsError {
    let message = failure.fault.detail();
    match failure.fault {
        Fault::Conflict { .. } => AwsError::bad(message),
        _ => AwsError::new("DependencyFailedException", message),
    }
}

/// Keeps the turn and the state together, and the event that tells of it; `None` where no turn is
/// kept.
async fn keep(
    call: &Call,
    state: StateWrite,
    draft: Option<Draft>,
    event: Option<OwnEvent>,
) -> Result<Option<Stored>, Refusal> {
    let door = call.app.ingest();
    if let Some(draft) = draft {
        return Ok(door.turn(&call.caller, draft, Some(state), event).await?);
    }
    door.state(state).await?;
    if let Some(event) = event {
        crate::events::record_or_warn(&call.app, event).await;
    }
    Ok(None)
}
