import { AuditReply } from '../../src/schema/reply/audit.ts'
import { AuthReply, OperatorSessionReply, SessionsReply, TicketReply } from '../../src/schema/reply/auth.ts'
import { ConfigReply, ShownConfig } from '../../src/schema/reply/config.ts'
import {
  Conflict,
  ConflictSide,
  ConflictsReply,
  DeletedSide,
  OmittedSide,
  ResolveReply,
  ValueSide,
} from '../../src/schema/reply/conflict.ts'
import { Done } from '../../src/schema/reply/done.ts'
import {
  DeletedEntry,
  EntriesReply,
  Entry,
  EntryFields,
  EntryOrPage,
  HistoryReply,
  LiveEntry,
} from '../../src/schema/reply/entry.ts'
import { ImportReply } from '../../src/schema/reply/import.ts'
import { Limits } from '../../src/schema/reply/limits.ts'
import { Problem } from '../../src/schema/reply/problem.ts'
import { Device, DevicesReply, ListedSpace, SpacesReply } from '../../src/schema/reply/registry.ts'
import { ResealedSpace, ResealReply } from '../../src/schema/reply/reseal.ts'
import { HealthReply, OpenApi } from '../../src/schema/reply/service.ts'
import { QuotaUsage, StatusReply, Usage } from '../../src/schema/reply/status.ts'
import {
  AppliedResult,
  ChangeResult,
  ChangesReply,
  MergedResult,
  NoopResult,
  OpenResult,
  RejectedResult,
  SupersededResult,
  SyncReply,
} from '../../src/schema/reply/sync.ts'
import {
  RevokeReply,
  RotateReply,
  ShownToken,
  TokenReply,
  TokensReply,
} from '../../src/schema/reply/token.ts'
import { AUTH_REQUEST_WORDS, AuthRequest } from '../../src/schema/request/auth.ts'
import { ConfigRequest } from '../../src/schema/request/config.ts'
import { ERASE_REQUEST_WORDS, EraseRequest } from '../../src/schema/request/erase.ts'
import {
  OPERATOR_SESSION_REQUEST_WORDS,
  OperatorSessionRequest,
} from '../../src/schema/request/operator-session.ts'
import { RESEAL_REQUEST_WORDS, ResealRequest } from '../../src/schema/request/reseal.ts'
import { SESSIONS_REQUEST_WORDS, SessionsRequest } from '../../src/schema/request/sessions.ts'
import { SYNC_REQUEST_WORDS } from '../../src/schema/request/sync.ts'
import {
  ROTATE_REQUEST_WORDS,
  RotateRequest,
  TOKEN_REQUEST_WORDS,
  TokenRequest,
} from '../../src/schema/request/token.ts'
import {
  AUDIT_RECORD_WORDS,
  AUDIT_TARGET_WORDS,
  AuditRecord,
  AuditTarget,
} from '../../src/schema/stored/audit.ts'
import {
  CONFIG_WORDS,
  QUOTA_WORDS,
  Quota,
  RATE_WORDS,
  RequestsPerMinute,
} from '../../src/schema/stored/config.ts'
import { IDENTITY_PROVIDER_WORDS, IdentityProvider } from '../../src/schema/stored/identity.ts'
import { TOKEN_RECORD_WORDS } from '../../src/schema/stored/token.ts'
import { REJECTIONS } from '../codes/actions.ts'
import {
  CHANGES,
  ChangeFields,
  ChangeShape,
  ChooseSide,
  ChooseValue,
  ResolveShape,
  SyncShape,
} from './change.ts'
import { FRAMES } from './frames.ts'
import { PROBLEMS } from './problems.ts'

/** A change is closed: an unknown field refuses the request. */
const CHANGE = { base: 'ChangeFields', closed: true } as const

/** Every schema that has a name in the document. */
export const SCHEMAS = {
  AuthRequest: { schema: AuthRequest, ...AUTH_REQUEST_WORDS },
  AuthReply: { schema: AuthReply },
  TokenRequest: { schema: TokenRequest, ...TOKEN_REQUEST_WORDS },
  TokenRecord: { schema: ShownToken, fields: TOKEN_RECORD_WORDS },
  TokenReply: { schema: TokenReply, fields: TOKEN_RECORD_WORDS },
  RotateRequest: { schema: RotateRequest, ...ROTATE_REQUEST_WORDS },
  RotateReply: { schema: RotateReply, fields: TOKEN_RECORD_WORDS },
  TokensReply: { schema: TokensReply },
  RevokeReply: { schema: RevokeReply },
  TicketReply: { schema: TicketReply },
  ShownConfig: { schema: ShownConfig, fields: CONFIG_WORDS.fields },
  ConfigRequest: {
    schema: ConfigRequest,
    description: 'The whole new configuration. Missing fields get their defaults.',
    fields: {
      ...CONFIG_WORDS.fields,
      revision: 'The revision that this change is based on.',
      stack: 'The stack that the configuration is for. Another stack refuses it.',
    },
  },
  ConfigReply: { schema: ConfigReply, fields: CONFIG_WORDS.fields },
  ImportReply: { schema: ImportReply },
  IdentityProvider: { schema: IdentityProvider, ...IDENTITY_PROVIDER_WORDS },
  RequestsPerMinute: { schema: RequestsPerMinute, ...RATE_WORDS },
  Quota: { schema: Quota, ...QUOTA_WORDS },
  OperatorSessionRequest: { schema: OperatorSessionRequest, ...OPERATOR_SESSION_REQUEST_WORDS },
  OperatorSessionReply: { schema: OperatorSessionReply },
  SessionsRequest: { schema: SessionsRequest, ...SESSIONS_REQUEST_WORDS },
  SessionsReply: { schema: SessionsReply },
  ResealRequest: { schema: ResealRequest, ...RESEAL_REQUEST_WORDS },
  ResealReply: { schema: ResealReply },
  ResealedSpace: { schema: ResealedSpace },
  SpacesReply: { schema: SpacesReply },
  ListedSpace: { schema: ListedSpace },
  DevicesReply: { schema: DevicesReply },
  Device: { schema: Device },
  AuditReply: { schema: AuditReply },
  AuditRecord: { schema: AuditRecord, ...AUDIT_RECORD_WORDS },
  AuditTarget: { schema: AuditTarget, ...AUDIT_TARGET_WORDS },
  StatusReply: { schema: StatusReply },
  QuotaUsage: { schema: QuotaUsage },
  Usage: { schema: Usage },
  EraseRequest: { schema: EraseRequest, ...ERASE_REQUEST_WORDS },
  HealthReply: { schema: HealthReply },
  OpenApi: { schema: OpenApi },
  Limits: { schema: Limits },
  Done: { schema: Done },
  SyncRequest: { schema: SyncShape, ...SYNC_REQUEST_WORDS },
  Change: { schema: ChangeShape },
  ChangeFields: { schema: ChangeFields },
  Write: { schema: CHANGES.Write, ...CHANGE },
  Deletion: { schema: CHANGES.Deletion, ...CHANGE },
  WriteOnValue: { schema: CHANGES.WriteOnValue, ...CHANGE },
  DeletionOnValue: { schema: CHANGES.DeletionOnValue, ...CHANGE },
  WriteOnAbsence: { schema: CHANGES.WriteOnAbsence, ...CHANGE },
  DeletionOnAbsence: { schema: CHANGES.DeletionOnAbsence, ...CHANGE },
  SyncReply: { schema: SyncReply },
  ChangeResult: { schema: ChangeResult, discriminator: 'status' },
  AppliedResult: { schema: AppliedResult },
  MergedResult: { schema: MergedResult },
  NoopResult: { schema: NoopResult },
  SupersededResult: { schema: SupersededResult },
  OpenResult: { schema: OpenResult },
  RejectedResult: {
    schema: RejectedResult,
    fields: {
      code: Object.entries(REJECTIONS)
        .map(([code, [, sentence]]) => `\`${code}\`: ${sentence}`)
        .join(' '),
    },
    extensions: {
      'x-actions': Object.fromEntries(Object.entries(REJECTIONS).map(([code, [action]]) => [code, action])),
    },
  },
  ChangesReply: { schema: ChangesReply },
  ResolveRequest: { schema: ResolveShape, discriminator: 'choice' },
  ChooseSide: { schema: ChooseSide },
  ChooseValue: { schema: ChooseValue },
  ResolveReply: { schema: ResolveReply },
  HistoryReply: { schema: HistoryReply },
  EntryOrPage: { schema: EntryOrPage },
  EntriesReply: { schema: EntriesReply },
  Entry: { schema: Entry },
  EntryFields: { schema: EntryFields },
  LiveEntry: { schema: LiveEntry, base: 'EntryFields' },
  DeletedEntry: { schema: DeletedEntry, base: 'EntryFields' },
  ConflictsReply: { schema: ConflictsReply },
  Conflict: { schema: Conflict },
  ConflictSide: { schema: ConflictSide },
  ValueSide: { schema: ValueSide },
  DeletedSide: { schema: DeletedSide },
  OmittedSide: { schema: OmittedSide },
  ...FRAMES,
  Problem: { schema: Problem },
  ...PROBLEMS,
}

export type SchemaName = keyof typeof SCHEMAS
