import { AuditRecord, AuditTarget } from '../src/schema/audit.ts'
import { AuditReply } from '../src/schema/audit-reply.ts'
import { AuthRequest } from '../src/schema/auth.ts'
import { AuthReply } from '../src/schema/auth-reply.ts'
import { ConfigRequest, Quota, RequestsPerMinute, StoredConfig } from '../src/schema/config.ts'
import { ConfigReply } from '../src/schema/config-reply.ts'
import { ResolveRequest } from '../src/schema/conflict.ts'
import { Conflict, ConflictSide, ConflictsReply, ResolveReply } from '../src/schema/conflict-reply.ts'
import { Done } from '../src/schema/done-reply.ts'
import { Entry } from '../src/schema/entry-reply.ts'
import { HealthReply } from '../src/schema/health-reply.ts'
import { HistoryReply } from '../src/schema/history-reply.ts'
import { IdentityProvider } from '../src/schema/identity.ts'
import { ImportReply } from '../src/schema/import-reply.ts'
import { Limits } from '../src/schema/limits-reply.ts'
import { OpenApi } from '../src/schema/openapi-reply.ts'
import { Problem } from '../src/schema/problem-reply.ts'
import { ResealRequest } from '../src/schema/reseal.ts'
import { ResealedSpace, ResealReply } from '../src/schema/reseal-reply.ts'
import { SessionsRequest } from '../src/schema/sessions.ts'
import { SessionsReply } from '../src/schema/sessions-reply.ts'
import { EraseRequest } from '../src/schema/space.ts'
import { QuotaUsage, StatusReply, Usage } from '../src/schema/status-reply.ts'
import { Change, SyncRequest } from '../src/schema/sync.ts'
import { ChangeResult, ChangesReply, SyncReply } from '../src/schema/sync-reply.ts'
import { TicketReply } from '../src/schema/ticket-reply.ts'
import { RotateRequest, TokenRequest } from '../src/schema/token.ts'
import { RevokeReply, RotateReply, ShownToken, TokenReply, TokensReply } from '../src/schema/token-reply.ts'
import { described } from './described.ts'

const MS = 'milliseconds since 1970'
const COLLECTIONS = 'Only these collections: the part of a key before its first slash, or `default`.'
const BY = 'The client that wrote it.'
const AT = `The time that decides, ${MS}: the client's, corrected by its skew and never in the future.`
const VALUE = 'Any JSON. A deletion carries its last value if it was given one.'

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

const PAGE = {
  changes: 'The latest entry of each key after the cursor, in the order of their versions.',
  cursor: 'Where to read on.',
  more: 'Whether a page follows. If not, the copy is a consistent snapshot.',
  reset:
    'The cursor cannot be continued, and the page begins at the start of the feed: start over as `resetReason` says.',
  resetReason:
    'There under `reset`. `filter`, `floor`, `cursor`: clear the copy, keep the queue, apply the page. `epoch`, `head`: the space was erased, restored or set back, and the copy may be all that is left of what was acknowledged. Read the feed to its end beside the copy, offer to push what only the copy has, or has of a later time, then drop the copy.',
  head: 'The latest version of the space.',
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
      'Names the data that the space holds: another one than last time, and the space was erased or restored. May be absent for some minutes while a release ships.',
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
  SyncRequest: described(SyncRequest, 'A batch of changes, and where to read on.', {
    clientId: "The session's client; another one is refused.",
    batch:
      'The number of this batch of the client, from 1 and without gaps: sent again, it takes effect once.',
    clientTime: `The client's clock as it sends, ${MS}: its skew corrects every \`timestamp\`. A fraction is rounded down.`,
    cursor: 'Where to read on; null from the start. Without it nothing is read.',
    limit: 'The most entries of the page.',
    collections: COLLECTIONS,
    atomic: 'All changes or none: any rejection or conflict is a 409.',
    echo: 'Whether `changes` also holds what this very request wrote. Without a cursor nothing is read.',
    changes: 'In the order that they take effect; at most 500.',
  }),
  Change: described(Change, 'One change. What is wrong with it rejects it alone.', {
    key: '`collection/rest`, 1 to 512 bytes, no control character.',
    value: 'Any JSON of at most 256 KiB, nested at most 128 deep.',
    deleted: 'Whether it is a deletion, which may carry a last value.',
    timestamp: `When the edit was made, ${MS}; a fraction is rounded down. A batch with a \`batch\` may leave it out: then the time of arrival decides. 0: it loses to a concurrent edit of any later time.`,
    base: 'The version that the edit was made on; null: believed absent. Without it, a blind write.',
    baseValue: 'In place of `base`: the value that the edit was made on.',
    baseDeleted: 'In place of `base`: true for believed deleted or absent.',
  }),
  SyncReply: described(
    SyncReply,
    'What became of the batch, and a page of what others changed: apply `results` first, then `changes`.',
    {
      ...PAGE,
      cursor: `${PAGE.cursor} There where the request has one.`,
      more: `${PAGE.more} There where the request has a cursor.`,
      reset: `${PAGE.reset} There where the request has a cursor.`,
      resetReason: PAGE.resetReason,
      success: 'Whether no change was rejected.',
      synced:
        "The keys at which the client's change stands now: by itself, inside a merge, or as the very same content.",
      conflicts: 'What lost, or was replaced unseen, in this batch.',
      results: 'One for each change, in their order.',
      replayed: 'The batch was answered before: these are the results of then.',
      serverTime: `When the request came, by the space's clock, ${MS}.`,
    },
  ),
  ChangeResult: described(ChangeResult, 'What became of one change.', {
    key: 'Of the change.',
    status:
      '`merged`: it stands inside a `value` that the space made. `noop`: the same content stood already. `conflict`: it waits for a decision. `superseded`: it lost, and is kept as a loser. `rejected`: for the reason in `code`, finally.',
    version: 'Where the key stands after this change.',
    value: 'What a merge made, unless the reply grew too long: the feed has it.',
    effectiveTimestamp: `The time that decided, where it differs from the one sent, ${MS}.`,
    conflict: 'The `id` of its entry in `conflicts`, if it made one.',
    code: 'Why it was rejected.',
    path: 'Where, if that is inside `value` or `baseValue`: a JSON pointer into the change, at most 512 characters.',
  }),
  ChangesReply: described(ChangesReply, 'A page of the feed.', PAGE),
  ResolveRequest: described(ResolveRequest, 'What is to stand.', {
    choice: 'The content of one side, or another `value`.',
    value: VALUE,
    base: 'The version that stands, as the one who decides has seen it; null where nothing does.',
  }),
  ResolveReply: described(ResolveReply, 'The conflict is closed.', {
    success: 'Always true.',
    id: 'Of the conflict.',
    key: 'Of the entry.',
    version: 'Where the key stands now; null where nothing does.',
    replayed: 'The same decision was made before.',
  }),
  HistoryReply: described(HistoryReply, 'Versions of a key, the newest first.', {
    key: 'Of the entry.',
    versions: 'What stood, and before a merged version what was sent.',
    next: 'The `before` of the next page; null at the end.',
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
  Entry: described(Entry, 'Where a key stands.', {
    key: '`collection/rest`.',
    value: VALUE,
    deleted: 'True for a deletion, else absent.',
    timestamp: AT,
    version: 'Opaque; the `base` of the next edit.',
    by: BY,
  }),
  ConflictsReply: described(ConflictsReply, 'A page of conflicts, the oldest first.', {
    conflicts: 'As far as the token may see them.',
    next: 'The `after` of the next page; null at the end.',
  }),
  Conflict: described(Conflict, 'Two versions that were written without knowledge of each other.', {
    id: 'Ascends with time.',
    key: 'Absent if neither side is known any more.',
    policy: 'What settled it.',
    resolution: 'Which side stands. `open`: the winner, until somebody decides.',
    winner: 'The side that stands.',
    loser: 'The side that was overruled; it stays readable.',
    paths: 'Of the fields that clash, as JSON pointers.',
    resolvedBy: 'The version that settled an open one.',
  }),
  ConflictSide: described(ConflictSide, 'One side of a conflict; of a forgotten deletion only `deleted`.', {
    value: VALUE,
    deleted: 'True for a deletion, else absent.',
    version: 'Opaque.',
    timestamp: AT,
    by: BY,
    omitted: 'True where the value is not shown: `GET /api/conflicts` has it.',
  }),
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
  Problem: described(Problem, 'A refusal (RFC 9457).', {
    type: 'A URN of the `code`.',
    title: 'The words of the status.',
    status: 'The HTTP status.',
    code: 'What to key on: the list is closed.',
    detail: "For the client's developer.",
    instance: 'A URN of the request id.',
    success: 'Always false.',
    conflicts: 'Always empty.',
    synced: 'Always empty.',
    limit: 'The limit that the request goes over.',
    expected: 'The number of the batch, or of the line, that would be taken.',
    reset: 'The space knows no batch of this client: start over.',
    epoch: 'Names the data that the space holds.',
    results: 'What became of each change of an atomic batch; none of it was stored.',
    version: 'Where the key stands; null where nothing does.',
    id: 'Of the conflict.',
    revision: 'That of the configuration by now.',
    line: 'The number of the line that is refused, from 1.',
    policy: 'The budget that is used up; `place`: the counter before the space.',
    windowSeconds: 'What `limit` is counted over, seconds.',
    quota: 'What there is no room for.',
    used: 'How much there is; null for a token of some collections.',
    retryAfterSeconds: 'After how many seconds the next request is let in, unless others come first.',
  }),
}

export type SchemaName = keyof typeof SCHEMAS
