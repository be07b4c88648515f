/** Groups of operations, with what a client's developer must know about all operations of a group. */
export const TAGS = {
  Sessions: `A token is exchanged for a session of one \`clientId\`: a replica, that is an installation or a tab, with a copy, a queue and batch numbers of its own. Store the id with them.

A 401 says nothing about the queue: keep it, open another session, and send the same request again. The user has to sign in only if \`POST /api/auth\` refuses the token too.`,
  Sync: `**A client** keeps a copy, a cursor, and a queue of edits. It sends the queue as a batch under the next number, applies \`results\`, then \`changes\` (under \`replayed: true\` only \`changes\`), stores the new \`cursor\`, drops the batch from the queue, and continues to pull while \`more\` is true. A page may be empty with \`more\` true: the server read many changes that the filter hides.

**Retries.** Until a reply comes, send the same batch again: same number, same keys, values, times and bases. \`cursor\`, \`clientTime\` and the order of fields may differ. The batch takes effect once. A retry gets the same results with \`replayed: true\`, as long as the results are kept (\`tombstoneDays\`, at least) and no later batch of the client was accepted. Without a number, a write of the current content is a \`noop\`.

**Numbers** are the client's: 1, 2, 3, without gaps, across sessions. In another \`epoch\` (the part of a version before the dot: the space was erased, or filled again) they begin at 1 again.

**Bases.** \`base\` is the \`version\` that an edit is based on. If it is the current version, the edit wins whatever the clocks say. \`base: null\`: the key was absent. \`baseValue\`: the value instead, for clients that keep no versions. Without any of them the clock decides. Edits that were made before the reply to an earlier edit came name the base of that edit.

**Times** are those of the edit, in milliseconds. With \`clientTime\` the skew of the clock is corrected. A time in the future counts as now. \`timestamp: 0\` means: lose against any concurrent write. A client without a clock omits it in numbered batches: then the time of arrival decides.

**Reading.** Each key comes once, in its latest version, with \`by\`, the client that wrote it. All clients of the space see all writes, as far as their token grants the collection. A deletion comes as \`deleted: true\`. Writes of earlier requests come like those of other clients. Writes of this very request come with \`echo: true\`, where they were merged, after a \`reset\`, from \`cursor: null\` and in a replay. Under \`reset: true\` start over as \`resetReason\` says; edits in the queue stay and are sent afterwards. If the copy has advanced since the request was sent, by a frame or another request, take nothing from the reply: update the queue, and pull.

**Values** are any JSON. Compare them as values and not as text: keys of an object come back in the order that \`JSON.parse\` keeps, and their order has no meaning. A client may encrypt: an encrypted text is a value like any other, which \`merge\` takes as a whole.

**Conflicts** are outcomes, not failures: \`results[i].conflict\` is the id of the entry of \`conflicts\` that has both sides. After \`superseded\` and \`conflict\` the page brings the current version into the copy, and \`conflicts\` has both sides. \`atomic: true\` refuses the whole batch instead.

**Limits** come with the session and the status: changes of a batch, bytes of a body and of a value, depth.`,
  Live: `Frames are JSON texts with a \`type\`: the schema \`Frame\`. A client keeps its own cursor. It applies a frame of \`changes\` that begins there, ignores a frame that ends there, and pulls at any other frame and after a \`poke\`. After every frame, and every \`ack\` with a cursor, it sends \`seen\` with its cursor. A socket may end at any time: open another one from the cursor.`,
  Reading: 'Single entries and their history. Every read needs the scope `sync:read`.',
  Conflicts: `Losers stay readable for as long as the retention lasts. Under the policy \`manual\` a concurrent edit is kept beside the current version, as a conflict with the \`resolution\` \`open\`, until some client decides: show both sides, then send the choice with the current version as \`base\`. The decision is a write, which the feed brings to every client.`,
  Transfer:
    'Export, import and erase a whole space. Needs the scope `space:admin` and a token of all collections.',
  Tokens: 'For the operator, with the admin token: who may open which space.',
  Operation: 'For the operator, with the admin token: configuration, keys and audit records.',
  Service: 'Needs no credential.',
} as const

export type Tag = keyof typeof TAGS
