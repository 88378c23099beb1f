export {
  answerMessage,
  type MessageAnswer,
  ReliableMessages,
  type ReliableMessagesOptions,
} from './reliable-messages.ts';
