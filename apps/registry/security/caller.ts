/** Who sent a request, as far as the routes need to know. */
import { ANONYMOUS, type Rights, superRights } from '@assay/security'

export interface Caller {
  /** `User:anna`. */
  readonly principal: string
  readonly rights: Rights
}

/** Where security is off: nobody is asked, and everybody may do everything. */
export const anybody: Caller = { principal: ANONYMOUS, rights: superRights }

export const mayReadSubject = ({ rights }: Caller, subject: string): boolean => rights.may('read', 'subject', subject)
