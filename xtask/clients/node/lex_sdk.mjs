// Amazon Lex V1 through version 3 of AWS's SDK, whose paths have no slash at their ends.
import assert from 'node:assert/strict';
import {
  CreateBotVersionCommand,
  GetBotAliasesCommand,
  GetBotCommand,
  GetBotsCommand,
  LexModelBuildingServiceClient,
  NotFoundException,
  PutBotAliasCommand,
  PutBotCommand,
  PutIntentCommand,
} from '@aws-sdk/client-lex-model-building-service';
import {
  GetSessionCommand,
  LexRuntimeServiceClient,
  PostContentCommand,
  PostTextCommand,
} from '@aws-sdk/client-lex-runtime-service';

const [accessKeyId, secretAccessKey] = process.env.CONVLOG_KEY.split('.');
const options = {
  endpoint: process.env.CONVLOG_URL,
  region: 'us-east-1',
  credentials: { accessKeyId, secretAccessKey },
  maxAttempts: 1,
};
const models = new LexModelBuildingServiceClient(options);
const runtime = new LexRuntimeServiceClient(options);
let nChecks = 0;

function check(got, expected, what) {
  assert.deepEqual(got, expected, what);
  nChecks += 1;
}

const messages = (content) => [{ contentType: 'PlainText', content }];
await models.send(
  new PutIntentCommand({
    name: 'Greet',
    sampleUtterances: ['hello there'],
    conclusionStatement: { messages: messages('Hello') },
    fulfillmentActivity: { type: 'ReturnIntent' },
    createVersion: true,
  }),
);
const put = await models.send(
  new PutBotCommand({
    name: 'Greeter',
    locale: 'en-US',
    childDirected: false,
    intents: [{ intentName: 'Greet', intentVersion: '1' }],
    clarificationPrompt: { messages: messages('Pardon?'), maxAttempts: 2 },
    abortStatement: { messages: messages('Goodbye') },
  }),
);
check(put.status, 'READY', 'status');
const version = await models.send(new CreateBotVersionCommand({ name: 'Greeter' }));
check(version.version, '1', 'version');
await models.send(
  new PutBotAliasCommand({
    botName: 'Greeter',
    name: 'PROD',
    botVersion: '1',
    conversationLogs: {
      iamRoleArn: 'arn:aws:iam::123456789012:role/lexlogs',
      logSettings: [
        {
          logType: 'TEXT',
          destination: 'CLOUDWATCH_LOGS',
          resourceArn: 'arn:aws:logs:us-east-1:123456789012:log-group:lex-logs',
        },
      ],
    },
  }),
);
const bots = await models.send(new GetBotsCommand({}));
check(bots.bots.map((bot) => bot.name), ['Greeter'], 'bots');
const latest = await models.send(new GetBotCommand({ name: 'Greeter', versionOrAlias: '$LATEST' }));
check(latest.version, '$LATEST', 'the version that changes');
check(latest.createdDate instanceof Date, true, 'dates');
const aliases = await models.send(new GetBotAliasesCommand({ botName: 'Greeter' }));
check(aliases.BotAliases.length, 1, 'aliases');
await assert.rejects(
  models.send(new GetBotCommand({ name: 'Nobody', versionOrAlias: '1' })),
  NotFoundException,
);

const where = { botName: 'Greeter', botAlias: 'PROD', userId: 'a:1' };
const said = await runtime.send(new PostTextCommand({ ...where, inputText: 'hello there' }));
check([said.intentName, said.dialogState], ['Greet', 'ReadyForFulfillment'], 'text');
const content = await runtime.send(
  new PostContentCommand({
    ...where,
    contentType: 'text/plain; charset=utf-8',
    accept: 'text/plain; charset=utf-8',
    sessionAttributes: JSON.stringify({ name: 'é' }),
    inputStream: new TextEncoder().encode('what'),
  }),
);
check(content.message, 'Pardon?', 'content');
check(await content.audioStream.transformToString(), 'Pardon?', 'body of content');
check(JSON.parse(content.sessionAttributes), { name: 'é' }, 'attributes of content');
const session = await runtime.send(new GetSessionCommand(where));
check(session.sessionId, said.sessionId, 'session');

const url = `${process.env.CONVLOG_URL}/convlog/v1/records?filter=kind::turn&sort=position`;
const headers = { authorization: `Bearer ${process.env.CONVLOG_KEY}` };
const { records } = await (await fetch(url, { headers })).json();
check(records.map((record) => record.raw.inputTranscript), ['hello there', 'what'], 'records');
console.log(`${nChecks} checks`);
