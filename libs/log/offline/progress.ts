/** How far a long piece of work is, in bytes. */
export type Progress = (state: { readonly done: number; readonly total: number }) => void
