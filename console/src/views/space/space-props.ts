import type { Status } from '../../base/wire.ts'

/** Properties of all pages of a space. */
export interface SpaceProps {
  readonly space: string
  /** Whether the operator looks at the space as its user does: without acts. */
  readonly isUser: boolean
  /** The address of the space. */
  readonly home: readonly string[]
  /** The figures above the page; undefined while an import keeps the space closed. */
  readonly status: Status | undefined
  /** Called after an act, to read the figures again. */
  readonly onActed: () => void
}
