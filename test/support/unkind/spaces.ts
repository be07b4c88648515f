/** Ways in which a call of an object fails on the platform. The local runtime never fails so by itself. */
const TROUBLES = {
  overloaded: { message: 'Durable Object is overloaded. Too many requests queued.', overloaded: true },
  unreachable: { message: 'Cannot reach the object.', retryable: true },
  updated: { message: 'Durable Object reset because its code was updated.', durableObjectReset: true },
  storage: {
    message: 'Durable Object storage operation exceeded timeout which caused object to be reset.',
    durableObjectReset: true,
  },
  moved: { message: 'Cannot access storage because object has moved to a different machine.', remote: true },
  lost: { message: 'Network connection lost.' },
  older: { message: 'The RPC receiver does not implement "this".', remote: true },
  /** An error of our own code, not of the platform. */
  defect: { message: 'the code is wrong', remote: true },
} as const

export type Trouble = keyof typeof TROUBLES

export const PASSING = [
  'overloaded',
  'unreachable',
  'updated',
  'storage',
  'moved',
  'lost',
  'older',
] as const satisfies Trouble[]

export function errorOf(trouble: Trouble): Error {
  const { message, ...flags } = TROUBLES[trouble]
  return Object.assign(new Error(message), flags)
}

/** Makes every call of an object fail. */
export function spacesIn<N extends Namespace>(namespace: N, trouble: Trouble): N {
  return withStubs(namespace, () => () => Promise.reject(errorOf(trouble)))
}

/** Replaces objects by ones of a release that lacks these methods. */
export function olderSpaces(namespace: Env['CHRONICLE'], lacking: readonly string[]): Env['CHRONICLE'] {
  return withStubs(namespace, (method, call) => {
    if (!lacking.includes(method)) return call
    return () => Promise.reject(new TypeError(`The RPC receiver does not implement "${method}".`))
  })
}

/** A namespace of objects of either class. */
type Namespace = Env['CHRONICLE'] | Env['REGISTRY']

type Call = (...given: readonly unknown[]) => unknown

/** Wraps a namespace so that its stubs have replaced methods. */
export function withStubs<N extends Namespace>(
  namespace: N,
  replace: (method: string, call: Call) => Call,
): N {
  return new Proxy(namespace, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...given: readonly unknown[]) => {
        const got: unknown = Reflect.apply(member, target, given)
        if (name === 'jurisdiction') return withStubs(got as N, replace)
        return name === 'get' || name === 'getByName' ? stubOver(got as object, replace) : got
      }
    },
  })
}

function stubOver(stub: object, replace: (method: string, call: Call) => Call): object {
  return new Proxy(stub, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function' || typeof name !== 'string') return member
      return replace(name, (...given) => Reflect.apply(member, target, given))
    },
  })
}
