import htm from 'htm'
import { type ComponentChildren, h, type VNode } from 'preact'

/** Anything that a component may show. */
export type View = ComponentChildren

/** Makes elements from a template, without a compiler. */
export const html: (strings: TemplateStringsArray, ...values: unknown[]) => VNode | VNode[] =
  htm.bind<VNode>(h)
