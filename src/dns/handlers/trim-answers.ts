import { isReferral, mapAnswer, mapParts } from './answers.ts';
import type { HandlerMaker } from './handler.ts';

/** Leaves out records that the question does not need: authority beside an answer, and additional ones. */
export const trimAnswers: HandlerMaker = ({ minimal }) => {
  if (!minimal) return undefined;
  return {
    name: 'minimal',
    around: (query, next) =>
      mapAnswer(next(query), (reply) => {
        if (reply.additionals === 0 && (reply.authorities === 0 || reply.answers === 0)) return reply;
        if (isReferral(reply)) return reply;
        return mapParts(query, reply, (parts) => ({
          ...parts,
          authorities: reply.answers === 0 ? parts.authorities : [],
          additionals: [],
        }));
      }),
  };
};
