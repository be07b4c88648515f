import { CONFLICTS } from './conflicts.ts'
import { LIVE } from './live.ts'
import type { Operations } from './operation.ts'
import { OPERATOR } from './operator.ts'
import { READING } from './reading.ts'
import { SERVICE } from './service.ts'
import { SESSIONS } from './sessions.ts'
import { SYNC } from './sync.ts'
import { TOKENS } from './tokens.ts'
import { TRANSFER } from './transfer.ts'

/** The description of every route. */
export const OPERATIONS: Operations = {
  ...SERVICE,
  ...SESSIONS,
  ...SYNC,
  ...LIVE,
  ...READING,
  ...CONFLICTS,
  ...TRANSFER,
  ...TOKENS,
  ...OPERATOR,
}
