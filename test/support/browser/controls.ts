import { setTimeout } from 'node:timers/promises'
import type { Page } from './chromium.ts'
import type { Result } from './protocol.ts'

/** How long a person waits for a page, and between two glances at it, ms. */
const PATIENCE_MS = 30_000
const GLANCE_MS = 25

/** Roles that browsers do not name by their content. A person tells them by their text. */
const UNNAMED = ['alert', 'row', 'status']

/** A text, or a pattern that a part of the text matches. */
export type Words = string | RegExp

/** Element as the browser tells it to a screen reader. */
export interface Control {
  readonly role: string
  readonly name: string
  /** Properties that are told with it, such as `disabled`, `pressed` or `invalid`. */
  readonly states: Readonly<Record<string, unknown>>
  /** Id of the element in the protocol. */
  readonly element: number
}

/** The controls of a page, by role and accessible name. */
export interface Controls {
  /** Lists the controls that are there now. */
  all(role: string, name: Words, within?: Control): Promise<readonly Control[]>
  /** Waits until exactly one control has the role and the name. */
  find(role: string, name: Words, within?: Control): Promise<Control>
  focused(): Promise<Control>
  /** Reads the text of a control, or of the page. */
  read(within?: Control): Promise<string>
  /** Runs the body of a function in the page, with the element of a control as `this`. */
  on(control: Control, body: string): Promise<unknown>
  /** Tries until there is a result. An element may leave the page while it is looked at. */
  wait<T>(aim: string, attempt: () => Promise<T | undefined>): Promise<T>
}

export function controlsOf({ call, run }: Page): Controls {
  async function all(role: string, name: Words, within?: Control): Promise<readonly Control[]> {
    const element = within?.element ?? (await call('DOM.getDocument', { depth: 0 })).root.backendNodeId
    const { nodes } = await call('Accessibility.queryAXTree', { backendNodeId: element, role })
    const told: readonly Control[] = nodes.filter(({ ignored }: Result) => !ignored).map(controlOf)
    const controls = UNNAMED.includes(role) ? await Promise.all(told.map(withText)) : told
    return controls.filter((control) => fits(name, control.name))
  }

  async function withText(control: Control): Promise<Control> {
    return { ...control, name: (await read(control)).replaceAll(/\s+/g, ' ').trim() }
  }

  async function wait<T>(aim: string, attempt: () => Promise<T | undefined>): Promise<T> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const result = await attempt().catch((error: Error) => {
        if (Date.now() > deadline) throw error
      })
      if (result !== undefined) return result
      if (Date.now() > deadline) throw new Error(`not within ${PATIENCE_MS} ms: ${aim}\n${await read()}`)
      await setTimeout(GLANCE_MS)
    }
  }

  async function read(within?: Control): Promise<string> {
    const text = within ? on(within, 'return this.innerText') : run('document.body?.innerText ?? ""')
    return String(await text)
  }

  async function on({ element }: Control, body: string): Promise<unknown> {
    const { object } = await call('DOM.resolveNode', { backendNodeId: element })
    const { objectId } = object
    const functionDeclaration = `async function () { ${body} }`
    const asked = { objectId, functionDeclaration, awaitPromise: true, returnByValue: true }
    const { result, exceptionDetails } = await call('Runtime.callFunctionOn', asked)
    await call('Runtime.releaseObject', { objectId })
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }

  return {
    all,
    find: (role, name, within) =>
      wait(`one ${role} ${name}`, async () => {
        const [first, ...others] = await all(role, name, within)
        return others.length === 0 ? first : undefined
      }),
    async focused() {
      const { result } = await call('Runtime.evaluate', { expression: 'document.activeElement' })
      const asked = { objectId: result.objectId, fetchRelatives: false }
      return controlOf((await call('Accessibility.getPartialAXTree', asked)).nodes[0])
    },
    read,
    on,
    wait,
  }
}

function controlOf({ role, name, properties = [], backendDOMNodeId }: Result): Control {
  const states = properties.map(({ name: state, value }: Result) => [state, value.value])
  return {
    role: role?.value ?? '',
    name: name?.value ?? '',
    states: Object.fromEntries(states),
    element: backendDOMNodeId,
  }
}

function fits(words: Words, name: string): boolean {
  return typeof words === 'string' ? name.trim() === words : words.test(name)
}
