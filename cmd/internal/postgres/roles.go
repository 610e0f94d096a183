package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// provisionLock keeps several starters on one database from making the roles at once. Roles belong to the whole
// server and locks to one database, so starters on two databases still collide; they try again.
const (
	provisionLock  = 4_872_316_003
	provisionTries = 10
)

// provision makes the roles and their rights on the database when something is missing: on all but the first
// start, that is one query.
func provision(ctx context.Context, admin *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(ctx, admin)
	if err != nil {
		return fmt.Errorf("cannot connect to the database: check --database and that the server runs: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	s, err := inspect(ctx, conn)
	if err != nil {
		return fmt.Errorf("cannot look at the database: %w", err)
	}
	if err := s.fit(); err != nil {
		return err
	}
	if s.provisioned() {
		return nil
	}
	database := pgx.Identifier{s.database}.Sanitize()
	err = changeRoles(ctx, conn, func(tx pgx.Tx) error {
		for _, role := range allRoles {
			var exists bool
			if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1)`, role).Scan(&exists); err != nil {
				return err
			}
			if exists {
				continue
			}
			login, err := loginClause(admin.Password, role)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "CREATE ROLE "+role+" NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION "+login); err != nil {
				return err
			}
		}
		for _, role := range allRoles {
			if _, err := tx.Exec(ctx, "GRANT CONNECT, TEMPORARY ON DATABASE "+database+" TO "+role); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "GRANT CREATE ON DATABASE "+database+" TO "+RoleOwner)
		return err
	})
	if err == nil {
		s, err = inspect(ctx, conn) // a GRANT without the right to grant is only a warning
	}
	if err == nil && s.provisioned() {
		return nil
	}
	if err == nil || sqlState(err) == "42501" {
		user := pgx.Identifier{s.user}.Sanitize()
		return fmt.Errorf("user %s may not set up the database: as a superuser run ALTER ROLE %s CREATEROLE and ALTER DATABASE %s OWNER TO %s", s.user, user, database, user)
	}
	return fmt.Errorf("cannot set up the roles of the database: %w", err)
}

// resetLogins gives every role its password again.
func resetLogins(ctx context.Context, admin *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(ctx, admin)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = changeRoles(ctx, conn, func(tx pgx.Tx) error {
		for _, role := range allRoles {
			login, err := loginClause(admin.Password, role)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "ALTER ROLE "+role+" "+login); err != nil {
				return err
			}
		}
		return nil
	})
	if sqlState(err) == "42501" {
		return fmt.Errorf("user %s may not set the passwords of Atrium's roles: connect as the user who made them or as a superuser: %w", admin.User, err)
	}
	return err
}

// changeRoles runs change in a transaction, again when another starter changed the same roles at the same time.
func changeRoles(ctx context.Context, conn *pgx.Conn, change func(pgx.Tx) error) error {
	for try := 1; ; try++ {
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", provisionLock); err != nil {
				return err
			}
			return change(tx)
		})
		switch sqlState(err) {
		case "42710", "23505", "XX000": // role exists, likewise seen by its index, "tuple concurrently updated"
		default:
			return err
		}
		if try == provisionTries {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try) * 20 * time.Millisecond):
		}
	}
}

// loginClause lets a role log in. The password travels as a SCRAM verifier, so that it never stands in a
// statement, which the server may log.
func loginClause(adminPassword, role string) (string, error) {
	if adminPassword == "" {
		return "LOGIN", nil
	}
	verifier, err := scramVerifier(loginPassword(adminPassword, role))
	if err != nil {
		return "", err
	}
	return "LOGIN PASSWORD '" + verifier + "'", nil
}

// loginPassword derives a role's password from the one in the database URL. Every process that knows the URL
// can log in, and there is nothing to store, share or lose. No password in the URL, none for the roles.
func loginPassword(adminPassword, role string) string {
	if adminPassword == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(sign([]byte(adminPassword), "atrium login "+role))
}

// scramVerifier is what Postgres stores of a password (RFC 5803).
func scramVerifier(password string) (string, error) {
	const iterations = 4096
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", err
	}
	stored := sha256.Sum256(sign(salted, "Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, encode(salt), encode(stored[:]), encode(sign(salted, "Server Key"))), nil
}

// sign is HMAC-SHA256.
func sign(key []byte, message string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(message))
	return mac.Sum(nil)
}
