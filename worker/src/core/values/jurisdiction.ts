/** A namespace of objects, or its part in a jurisdiction. */
interface Located<N> {
  jurisdiction(name: DurableObjectJurisdiction): N
}

/** The part of a namespace in the jurisdiction of the stack: "none", or one of the platform's, as the program binds it. */
export function locatedIn<N extends Located<N>>(namespace: N, jurisdiction: string): N {
  return jurisdiction === 'none'
    ? namespace
    : namespace.jurisdiction(jurisdiction as DurableObjectJurisdiction)
}
