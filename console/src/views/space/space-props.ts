/** Properties of all pages of a space. */
export interface SpaceProps {
  readonly space: string
  /** Whether the operator looks at the space as its user does: without acts. */
  readonly isUser: boolean
  /** The address of the space. */
  readonly home: readonly string[]
}
