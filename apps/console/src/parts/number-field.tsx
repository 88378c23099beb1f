import { TextInput, type TextInputProps } from '@mantine/core';
import type { ReactNode } from 'react';

interface NumberFieldProps extends Omit<TextInputProps, 'onChange' | 'value'> {
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** A whole number, or nothing. What is no digit is not taken. */
export function NumberField({ value, onChange, ...others }: NumberFieldProps): ReactNode {
  return (
    <TextInput
      {...others}
      inputMode="numeric"
      value={value}
      onChange={(event) => onChange(event.currentTarget.value.replaceAll(/\D/g, ''))}
    />
  );
}
