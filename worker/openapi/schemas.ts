import { AuditReply } from '../src/schema/reply/audit.ts'
import { AuthReply } from '../src/schema/reply/auth.ts'
import { ConfigReply } from '../src/schema/reply/config.ts'
import { Done } from '../src/schema/reply/done.ts'
import { HealthReply } from '../src/schema/reply/health.ts'
import { ImportReply } from '../src/schema/reply/import.ts'
import { Limits } from '../src/schema/reply/limits.ts'
import { OpenApi } from '../src/schema/reply/openapi.ts'
import { Problem } from '../src/schema/reply/problem.ts'
import { ResealedSpace, ResealReply } from '../src/schema/reply/reseal.ts'
import { SessionsReply } from '../src/schema/reply/sessions.ts'
import { QuotaUsage, StatusReply, Usage } from '../src/schema/reply/status.ts'
import { TicketReply } from '../src/schema/reply/ticket.ts'
import { RevokeReply, RotateReply, ShownToken, TokenReply, TokensReply } from '../src/schema/reply/token.ts'
import { AuthRequest } from '../src/schema/request/auth.ts'
import { EraseRequest } from '../src/schema/request/erase.ts'
import { ResealRequest } from '../src/schema/request/reseal.ts'
import { SessionsRequest } from '../src/schema/request/sessions.ts'
import { AuditRecord, AuditTarget } from '../src/schema/stored/audit.ts'
import { ConfigRequest, Quota, RequestsPerMinute, StoredConfig } from '../src/schema/stored/config.ts'
import { IdentityProvider } from '../src/schema/stored/identity.ts'
import { RotateRequest, TokenRequest } from '../src/schema/stored/token.ts'
import { described } from './described.ts'
import { FRAMES } from './frames.ts'
import { PROBLEMS } from './problems.ts'
import { PAGE, SYNC_SCHEMAS } from './sync-schemas.ts'

const MS = 'milliseconds since 1970'

const RECORD = {
  id: "The token's SHA-256, base64url.",
  subject: 'Whom it was given to.',
  space: 'The space that it opens.',
  scopes: 'What it allows.',
  collections: 'The collections that it is for; null is all of them.',
  expiresAt: `When it ends, ${MS}; null: never.`,
  name: 'What the operator calls it.',
  createdAt: `When it was minted, ${MS}.`,
  spaceId: "The id of the space's object.",
}

const CONFIG = {
  revision: 'Grows with every change.',
  defaultPolicy: 'Settles concurrent writes of collections that `policies` does not name.',
  policies: 'Settles concurrent writes, for each collection.',
  historyDays: 'How long replaced versions, losers and settled conflicts stay readable, days.',
  tombstoneDays: 'How long deletions stay in the feed, days: a device that was away for longer starts over.',
  identityProviders: 'Whose tokens open sessions, beside those that the operator mints.',
  requestsPerMinute: 'How many requests a minute each space answers.',
  quota: 'How much each space may hold.',
}

/** Every shape that has a name in the document. */
export const SCHEMAS = {
  AuthRequest: described(AuthRequest, 'A token to exchange for a session.', {
    token: 'An API token of this environment, or a JWT of an identity provider.',
    clientId: 'The replica that asks: an installation or a tab. Without it, a new one.',
  }),
  AuthReply: described(AuthReply, 'A session.', {
    success: 'Always true.',
    session: 'For the header `Authorization: Bearer`.',
    expiresAt: `When the session ends, ${MS}.`,
    clientId: 'The replica that the session is bound to.',
    space: 'The space that the session opens.',
    epoch:
      'Names the data that the space holds. If it is another one than last time, the space was erased or restored. May be absent for some minutes while a release ships.',
    lastBatch:
      'The number of the last batch that this space has from this client, 0 for none: the next one is one more. Absent where `epoch` is.',
    scopes: 'What it allows.',
    collections: 'The collections that it may touch; null is all of them.',
    limits: 'The limits of this service.',
  }),
  TokenRequest: described(TokenRequest, 'A token to mint.', {
    subject: 'Whom it is for.',
    space:
      'The space that it opens; without it the one that is named like the subject, which every token of that name shares.',
    scopes:
      'What it allows; `sync:write` with `sync:read` also resolves conflicts, `space:admin` exports, imports and erases.',
    collections: 'The collections that it is for; without it, all of them.',
    expiresAt: `When it ends, ${MS}; without it, never.`,
    name: 'What the operator calls it.',
  }),
  TokenRecord: described(ShownToken, 'What is known of a token.', RECORD),
  TokenReply: described(TokenReply, 'A new token, shown here and never again.', {
    ...RECORD,
    success: 'Always true.',
    token: 'The token: it is not kept.',
  }),
  RotateRequest: described(RotateRequest, 'How to replace a token.', {
    overlapSeconds:
      'How long the old token goes on beside the new one, seconds; without it, it ends at once.',
  }),
  RotateReply: described(RotateReply, 'A new token in the place of another, shown here and never again.', {
    ...RECORD,
    success: 'Always true.',
    token: 'The token: it is not kept.',
    replaces: 'The `id` of the old token.',
  }),
  TokensReply: described(TokensReply, 'A page of tokens.', {
    tokens: 'What is known of them.',
    next: 'The `cursor` of the next page; null at the end.',
  }),
  RevokeReply: described(RevokeReply, 'The token is no longer valid.', {
    success: 'Always true.',
    id: 'The token that was revoked.',
  }),
  TicketReply: described(TicketReply, 'A ticket: it opens one socket.', {
    success: 'Always true.',
    ticket: 'For the subprotocol `ticket.<ticket>`.',
    expiresAt: `Until when a socket can be opened with it, ${MS}.`,
  }),
  StoredConfig: described(StoredConfig, 'What holds for all spaces of a stack.', CONFIG),
  ConfigRequest: described(
    ConfigRequest,
    'The whole of what is to hold; what is left out is as if never set.',
    {
      ...CONFIG,
      revision: 'The one that this change was made on.',
    },
  ),
  ConfigReply: described(ConfigReply, 'What holds from now on.', { ...CONFIG, success: 'Always true.' }),
  ImportReply: described(ImportReply, 'How far an import has come.', {
    success: 'Always true.',
    line: 'The last line that is in, from 1.',
    entries: 'How many live entries the space has.',
    finished: 'Whether the last line of the export was in.',
    edited: 'Whether the space has been written to since that.',
  }),
  IdentityProvider: described(
    IdentityProvider,
    "Whose tokens the stack takes, and what their holders get. In development the URLs may be the machine's own, with http.",
    {
      issuer: 'The `iss` of its tokens, to the letter.',
      audiences: 'Of these, `aud` must hold one.',
      jwksUrl: 'Where its keys are; they come from nowhere else.',
      algorithms: 'How it signs.',
      scopes: 'The most that its tokens allow.',
      scopesClaim:
        'The claim that says which of `scopes` the holder has: words in a text, or an array. Without it, all.',
      collections: 'The collections that its tokens are for; without it, all of them.',
      spaceClaim:
        'The claim that names the space: `sub` gives every subject its own, another one is shared by all who have the same. Holders must not be able to choose what it says.',
    },
  ),
  RequestsPerMinute: described(RequestsPerMinute, 'How many requests a minute a space answers.', {
    client: 'Each client of a credential.',
    credential: 'Each API token, or subject of an identity provider.',
    space: 'All together.',
  }),
  Quota: described(Quota, 'How much a space may hold.', {
    entries: 'Live entries.',
    bytes: 'Bytes of storage, with all that is kept: history, losers, deletions.',
  }),
  SessionsRequest: described(SessionsRequest, 'Whose sessions to end.', {
    subject: '`<issuer>#sub=<sub>`.',
    space: "Where; without it, in the space that is the subject's own.",
  }),
  SessionsReply: described(SessionsReply, 'They have ended.', {
    success: 'Always true.',
    subject: 'Whose they were.',
    space: 'Where.',
  }),
  ResealRequest: described(ResealRequest, 'Spaces, by the ids of their objects.', {
    spaces: 'As the platform lists them: 64 hexadecimal digits each.',
  }),
  ResealReply: described(ResealReply, 'How far they have come.', {
    success: 'Always true.',
    generation: 'Of the newest master key.',
    spaces: 'In the order of the request.',
  }),
  ResealedSpace: described(ResealedSpace, 'How far a space has come.', {
    id: 'The id of its object.',
    state:
      '`done`: all of it was read, and is sealed by the newest; `pending`: ask again; `failed`: see `unreadable`, or the log.',
    unreadable: 'How many chunks it cannot read, where it failed by that.',
    entries: 'How many live entries it holds.',
  }),
  AuditReply: described(AuditReply, 'A page of what operators did, the newest first.', {
    records: 'One for each act.',
    next: 'The `cursor` of the next page; null at the end.',
  }),
  AuditRecord: described(
    AuditRecord,
    'What an operator did, or a session with a whole space, or was refused.',
    {
      at: `When it had ended, ${MS}.`,
      act: 'Method and route.',
      status: 'What was answered; 500 too where it is not known what took place.',
      requestId: 'The `X-Request-Id` of the reply.',
      admin:
        'A fingerprint of the admin token that was used: it tells one from another. `session` for an act of a session, whose token and subject are in `target`.',
      address: 'Where the request came from; null if the platform does not tell.',
      target: 'What it was about.',
    },
  ),
  AuditTarget: described(
    AuditTarget,
    'What an act was about. What does not apply, was not known yet, or looks like a credential is left out.',
    {
      tokenId:
        'The `id` of the token that was minted, replaced or revoked, or that opened the session which acted.',
      replacedBy: 'The `id` of the token that came in its place.',
      subject: 'Whose token, or whose sessions.',
      space: 'Which space they open, or was exported, filled or erased.',
      scopes: 'What the token that was minted allows.',
      revision: 'Of the configuration: the new one, or the one that a refused change was made on.',
    },
  ),
  StatusReply: described(StatusReply, 'Where the space stands.', {
    status: 'Always `ok`.',
    lastSync: `When the space last stored a change, ${MS}; null: never.`,
    pending:
      'At most how many changes a reader with this cursor and these collections has yet to read; 0 is exact.',
    head: PAGE.head,
    epoch: 'Tells one data set from the next.',
    entries: 'How many live entries there are; null for a token of some collections.',
    openConflicts: 'How many conflicts wait for a decision; null for a token of some collections.',
    quota: 'What the space holds and may hold; null for a token of some collections.',
    serverTime: `The space's clock, ${MS}.`,
    limits: 'The limits of this service.',
  }),
  QuotaUsage: described(QuotaUsage, 'What a space holds, and may hold.', {
    entries: 'Live entries.',
    bytes: 'Bytes of storage, with all that is kept.',
  }),
  Usage: described(Usage, 'How much of something.', { used: 'There is.', limit: 'There may be.' }),
  EraseRequest: described(EraseRequest, 'A confirmation.', {
    confirm: 'The name of the space, so that nobody erases one by mistake.',
  }),
  HealthReply: described(HealthReply, 'The Worker runs.', {
    status: 'Always `ok`.',
    environment: 'The environment of the stack.',
    version: 'What was deployed.',
    serverTime: `The Worker's clock, ${MS}.`,
  }),
  OpenApi: described(OpenApi, 'An OpenAPI document.', {
    openapi: 'Its version of OpenAPI.',
    info: 'What it describes.',
    paths: 'The routes.',
    components: 'What they share.',
  }),
  Limits: described(Limits, 'What a client must stay within.', {
    keyBytes: 'The longest key, bytes of UTF-8.',
    valueBytes: 'The largest value, bytes of JSON.',
    changes: 'The most changes of a request.',
    bodyBytes: 'The largest request body, bytes.',
    messageBytes: 'The largest message on a socket, bytes.',
    depth: 'How deep a value may nest.',
    pageEntries: 'The most entries of a page.',
  }),
  Done: described(Done, 'It is done.', { success: 'Always true.' }),
  ...SYNC_SCHEMAS,
  ...FRAMES,
  Problem: described(Problem, 'A refusal of the whole request (RFC 9457): each code adds its members.', {
    type: 'A URN of the `code`.',
    title: 'The words of the status.',
    status: 'The HTTP status.',
    code: 'The list is closed; `x-action` of its schema says what a client does. Treat an unknown code by its status.',
    detail: "For the client's developer.",
    instance: 'A URN of the request id.',
    success: 'Always false.',
    conflicts: 'Always empty.',
    synced: 'Always empty.',
  }),
  ...PROBLEMS,
}

export type SchemaName = keyof typeof SCHEMAS
