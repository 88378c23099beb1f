/** How many attempts of the same call came before this one; sent on the second and later ones (gRFC A6). */
export const previousAttempts = 'grpc-previous-rpc-attempts';
