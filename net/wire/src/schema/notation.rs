//! The macro that turns the notation into a structure and its codec.

/// Declares one structure of a message; see the module `schema` for the notation.
macro_rules! message {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $(
                $(#[$field_meta:meta])*
                pub $field:ident: $type:ty [$($versions:tt)*]
                $(null $null:tt)? $(default ($default:expr))?
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: $crate::schema::default_of!($($default)?),)*
                }
            }
        }

        const _: () = {
            use $crate::primitive::{Layout, Reader, Writer};
            use $crate::schema::{self, Field, Structure, Value};

            /// The notation of each field, under the field's own name.
            #[expect(non_upper_case_globals, reason = "named as the fields they describe")]
            impl $name {
                $(
                    const $field: Field = Field {
                        name: stringify!($field),
                        kind: <$type as Value>::KIND,
                        versions: schema::versions!([$($versions)*]),
                        null: schema::versions!($($null)?),
                        place: schema::place!([$($versions)*]),
                        default: stringify!($($default)?),
                    };
                )*
            }

            impl Structure for $name {
                const FIELDS: &'static [Field] = &[$(Self::$field),*];

                fn fields_size_min(layout: Layout) -> usize {
                    let mut size = usize::from(layout.flexible);
                    $(
                        let field = const { &Self::$field };
                        if field.place.tag().is_none() && field.versions.contains(layout.version) {
                            size += <$type as Value>::size_min(layout);
                        }
                    )*
                    size
                }

                fn decode_fields(
                    reader: &mut Reader<'_>,
                    layout: Layout,
                ) -> Result<Self, $crate::Malformed> {
                    let mut value = Self::default();
                    $(
                        let field = const { &Self::$field };
                        if field.place.tag().is_none() {
                            schema::decode_field(&mut value.$field, field, reader, layout)?;
                        }
                    )*
                    if layout.flexible {
                        reader.tagged_fields(|tag, reader| {
                            $(
                                let field = const { &Self::$field };
                                if field.place.tag() == Some(tag) {
                                    let place = &mut value.$field;
                                    return schema::decode_field(place, field, reader, layout);
                                }
                            )*
                            let _unknown = (tag, reader);
                            Ok(false)
                        })?;
                    }
                    Ok(value)
                }

                fn encode_fields(
                    &self,
                    writer: &mut Writer,
                    layout: Layout,
                ) -> Result<(), $crate::Unencodable> {
                    let default = Self::default();
                    let mut tagged_count = 0;
                    $(
                        let field = const { &Self::$field };
                        let (value, unset) = (&self.$field, &default.$field);
                        if field.place.tag().is_none() {
                            schema::encode_field(value, unset, field, writer, layout)?;
                        } else if schema::is_written(value, unset, field, layout)? {
                            tagged_count += 1;
                        }
                    )*
                    if !layout.flexible {
                        return Ok(());
                    }
                    writer.varint(tagged_count);
                    $(
                        let field = const { &Self::$field };
                        let (value, unset) = (&self.$field, &default.$field);
                        if let Some(tag) = field.place.tag()
                            && schema::is_written(value, unset, field, layout)?
                        {
                            schema::encode_tagged(value, field, tag, writer, layout)?;
                        }
                    )*
                    Ok(())
                }
            }
        };
    };
}
pub(crate) use message;

/// Returns the default that the notation gives, or the type's own.
macro_rules! default_of {
    () => {
        Default::default()
    };
    ($default:expr) => {
        $default
    };
}
pub(crate) use default_of;
