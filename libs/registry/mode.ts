/** Modes of subjects: who may write what. They are read from the journal and obeyed; nothing here sets them. */
import { AssayError } from '@assay/errors'
import type { Mode } from './changes.ts'
import type { State } from './subjects.ts'

/** The subject's own mode, else the global one. READONLY_OVERRIDE on the whole registry overrules every subject. */
export function modeInScope(state: State, subject: string | null): Mode {
  const everywhere = state.modes.get(null) ?? 'READWRITE'
  if (everywhere === 'READONLY_OVERRIDE') return everywhere
  return state.modes.get(subject) ?? everywhere
}

const isReadOnly = (mode: Mode): boolean => mode === 'READONLY' || mode === 'READONLY_OVERRIDE'

/** Deletes and settings are refused in the read-only modes. */
export function refuseReadOnly(state: State, subject: string | null): void {
  if (!isReadOnly(modeInScope(state, subject))) return
  const which = subject === null ? 'The registry' : `Subject ${subject} in context .`
  throw new AssayError('OPERATION_NOT_PERMITTED', { reason: `${which} is in read-only mode` })
}

/** A registration without an ID needs READWRITE; one with an ID needs IMPORT, which this registry does not take part in yet. */
export function refuseRegistration(state: State, subject: string, withId: boolean): void {
  const mode = modeInScope(state, subject)
  refuseReadOnly(state, subject)
  const where = `Subject ${subject} in context .`
  if (withId) throw new AssayError('OPERATION_NOT_PERMITTED', { reason: `${where} is not in import mode` })
  if (mode !== 'READWRITE') throw new AssayError('OPERATION_NOT_PERMITTED', { reason: `${where} is not in read-write mode` })
}
