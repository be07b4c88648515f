import type { Space } from '../../../worker/src/objects/space/space.ts'
import type { SpaceKeys } from '../../../worker/src/objects/store/seal.ts'
import type { Turns } from './turns.ts'

/** The keys of a space, whose work ends at the gates of the history. */
export function gatedKeys({ keys, forgetKeys }: Space, turns: Turns): Pick<Space, 'keys' | 'forgetKeys'> {
  let gated: Promise<SpaceKeys> | undefined
  const forget = (thrown: unknown) => {
    gated = undefined
    throw thrown
  }
  return {
    keys: () => (gated ??= turns.after(keys()).then((ring) => gatedRing(ring, turns), forget)),
    forgetKeys() {
      gated = undefined
      forgetKeys()
    },
  }
}

function gatedRing(ring: SpaceKeys, turns: Turns): SpaceKeys {
  return {
    generations: ring.generations,
    seal: (text, origin) => turns.after(ring.seal(text, origin)),
    chunk: ring.chunk,
    open: (chunk) => turns.after(ring.open(chunk)),
    digests: (text) => turns.after(ring.digests(text)),
  }
}
