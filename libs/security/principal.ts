/** Names of principals as Kafka writes them: a type, a colon, a name. There is one type, `User`. */

const USER = 'User:'
/** Who has not said who he is, where that is not asked. */
export const ANONYMOUS = 'User:ANONYMOUS'

/** A user by name, by the subject of a token, or by the distinguished name of a certificate. */
export const userPrincipal = (name: string): string => USER + name

export const isPrincipal = (text: string): boolean => text.startsWith(USER) && text.length > USER.length && !/\p{Cc}/u.test(text)
