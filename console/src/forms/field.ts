import { useId } from 'preact/hooks'
import { html, type View } from '../base/html.ts'

interface FieldProps {
  readonly label: View
  readonly hint?: View
  /** The fault of the content, in the words of the service. */
  readonly error?: string | undefined
}

interface ControlProps extends FieldProps {
  /** Makes the control, with the attributes that tie it to its label, hint and error. */
  readonly children: (attributes: object) => View
}

/** A labelled control, with the error of the service at its place. */
export function Field({ label, hint, error, children }: ControlProps): View {
  const id = useId()
  const told = `${id}-told`
  return html`
    <div class="field">
      <label for=${id}>${label}</label>
      ${children({ id, 'aria-describedby': told, 'aria-invalid': error !== undefined })}
      <p id=${told} class=${error ? 'fault' : 'hint'} role=${error && 'alert'}>${error ?? hint}</p>
    </div>
  `
}

interface TextFieldProps extends FieldProps {
  readonly text: string
  readonly onText: (text: string) => void
  /** Other attributes of the input. */
  readonly [attribute: string]: unknown
}

/** A labelled input of one line. */
export function TextField({ label, hint, error, text, onText, ...others }: TextFieldProps): View {
  return html`
    <${Field} label=${label} hint=${hint} error=${error}>
      ${(attributes: object) => html`
        <input autocomplete="off" spellcheck=${false} ...${others} ...${attributes} value=${text} onInput=${taking(onText)} />
      `}
    <//>
  `
}

interface SelectFieldProps extends FieldProps {
  readonly chosen: string
  readonly options: readonly (readonly [value: string, title: string])[]
  readonly onChoose: (value: string) => void
}

/** A labelled choice of one thing. */
export function SelectField({ label, hint, error, chosen, options, onChoose }: SelectFieldProps): View {
  return html`
    <${Field} label=${label} hint=${hint} error=${error}>
      ${(attributes: object) => html`
        <select ...${attributes} value=${chosen} onChange=${taking(onChoose)}>
          ${options.map(([value, title]) => html`<option key=${value} value=${value}>${title}</option>`)}
        </select>
      `}
    <//>
  `
}

interface ChoicesProps extends FieldProps {
  readonly options: readonly string[]
  readonly chosen: readonly string[]
  readonly onChoose: (chosen: readonly string[]) => void
}

/** Several things of a list, to be ticked. */
export function Choices({ label, error, options, chosen, onChoose }: ChoicesProps): View {
  const toggle = (option: string) =>
    onChoose(options.filter((other) => chosen.includes(other) !== (other === option)))
  return html`
    <fieldset>
      <legend>${label}</legend>
      ${options.map(
        (option) => html`
          <label key=${option} class="tick">
            <input type="checkbox" checked=${chosen.includes(option)} onChange=${() => toggle(option)} />
            <code>${option}</code>
          </label>
        `,
      )}
      ${error && html`<p class="fault" role="alert">${error}</p>`}
    </fieldset>
  `
}

/** Hands on the text of a control that fires an event. */
export function taking(take: (text: string) => void): (event: Event) => void {
  return ({ currentTarget }) => take((currentTarget as HTMLInputElement).value)
}

/** Acts when a form is sent, in place of the browser. */
export function submitting(act: () => void): (event: Event) => void {
  return (event) => {
    event.preventDefault()
    act()
  }
}
