-- The tables are those of the configuration store, which this server does not have; Derby must still be initialised.
CREATE SCHEMA nacos AUTHORIZATION nacos;
