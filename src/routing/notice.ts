/** Something about a Service that its owner can mend or should know. */
export interface Notice {
  /** `namespace/name`. */
  readonly service: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: NoticeReason;
  /** A sentence for people. The same state always gives the same words. */
  readonly message: string;
}

export type NoticeReason =
  /** Another Service holds an address and port that this one asks for. */
  | 'AddressConflict'
  /** `spec.externalIPs` without permission. */
  | 'ExternalIPsIgnored'
  /** A cluster, external or load-balancer address that is none, or that no Service can have. */
  | 'InvalidAddress'
  /** A port without a valid number or protocol. */
  | 'InvalidPort'
  /** An endpoint or port of a slice that cannot be used; the others are. */
  | 'InvalidEndpoint'
  | 'InvalidSourceRange'
  /** An annotation of Fairlead's that cannot be read; it is as if it were not there. */
  | 'InvalidAnnotation'
  /** Policy Local, and endpoints, but none on this node. */
  | 'NoLocalEndpoints';

/** Takes what is wrong or worth telling from whoever reads an object, who then goes on without it. */
export type Note = (reason: NoticeReason, message: string) => void;

const normal: ReadonlySet<NoticeReason> = new Set<NoticeReason>(['NoLocalEndpoints']);

export function noticeOf(service: string, reason: NoticeReason, message: string): Notice {
  return { service, type: normal.has(reason) ? 'Normal' : 'Warning', reason, message };
}

export function isSameNotice(a: Notice, b: Notice): boolean {
  return a.service === b.service && a.reason === b.reason && a.message === b.message;
}

/** Puts notices into the one order that they always have. */
export function sortNotices(notices: Iterable<Notice>): readonly Notice[] {
  const keyOf = ({ service, reason, message }: Notice): string => `${service} ${reason} ${message}`;
  return [...notices].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** Events are cut at 1024 characters, so long lists are cut before. */
const listed = 5;

/** `a, b, c, d, e and 12 more`. */
export function shortList(items: readonly string[]): string {
  const more = items.length > listed ? ` and ${items.length - listed} more` : '';
  return `${items.slice(0, listed).join(', ')}${more}`;
}
