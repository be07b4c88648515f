export type { Chronicle } from './chronicle.ts'
export type { Collection, EditOptions, Query, Schema, Selection } from './collection.ts'
export type { ChronicleOptions, Encryption } from './device/options.ts'
export type { Status } from './device/status.ts'
export type { Edit } from './editor.ts'
export type { History, HistoryVersion } from './history.ts'
export { openChronicle } from './open.ts'
export type { Synced } from './replica/settlement.ts'
export type { LineStatus, Obstacle } from './service/status.ts'
export type {
  Base,
  Choice,
  Found,
  Outcome,
  Outgoing,
  QueuedEdit,
  ReplicaState,
  Store,
  StoredEntry,
  TroubleStatus,
  Wanted,
  Writes,
} from './store/store.ts'
export type { Trouble } from './troubles.ts'
export { ChronicleError, type ClientCode, type UnsyncedEdit } from './values/errors.ts'
export type { Channel, Locks, Platform, Socket } from './values/platform.ts'
export type { Readable } from './values/readable.ts'
export type { Conflict, Json, Problem } from './values/wire.ts'
export type { Row, RowMeta, RowStatus } from './view/row.ts'
export type { RowChange } from './view/view.ts'
