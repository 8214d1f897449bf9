// franz-go's sr as its users call it: main URL. Prints one JSON line a step.
package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/sr"
)

type visit struct {
	User string `avro:"user"`
	Step int    `avro:"step"`
}

type pageVisit struct {
	User string `avro:"user"`
	Step int    `avro:"step"`
	Page string `avro:"page"`
}

const (
	money = `{"type":"record","name":"Money","namespace":"conformance","fields":[{"name":"cents","type":"long"}]}`
	order = `{"type":"record","name":"Order","namespace":"conformance","fields":[{"name":"total","type":"Money"}]}`
)

func record(name, more string) string {
	return `{"type":"record","name":"` + name + `","namespace":"conformance","fields":[` +
		`{"name":"user","type":"string"},{"name":"step","type":"int"}` + more + `]}`
}

var (
	first  = record("Visit", "")
	second = record("Visit", `,{"name":"page","type":"string","default":"/"}`)
	third  = record("Visit", `,{"name":"page","type":"string","default":"/"},{"name":"required","type":"string"}`)
	cl     *sr.Client
	ctx    = context.Background()
)

func text(schema string) sr.Schema { return sr.Schema{Schema: schema} }

// step runs one step and tells of it; what a check panics with is its failure.
func step(name string, run func()) {
	said := map[string]string{}
	func() {
		defer func() {
			if failure := recover(); failure != nil {
				said["error"] = fmt.Sprint(failure)
			}
		}()
		run()
	}()
	quoted, _ := json.Marshal(name)
	if why, failed := said["error"]; failed {
		reason, _ := json.Marshal(why)
		fmt.Printf("{\"step\":%s,\"error\":%s}\n", quoted, reason)
		return
	}
	fmt.Printf("{\"step\":%s}\n", quoted)
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func equal(found, wanted any) {
	if !reflect.DeepEqual(found, wanted) {
		panic(fmt.Sprintf("%v is not %v", found, wanted))
	}
}

func holds(list []string, wanted string) {
	if !slices.Contains(list, wanted) {
		panic(fmt.Sprintf("%v is not in %v", wanted, list))
	}
}

func refused(err error, code int) string {
	var answer *sr.ResponseError
	if !errors.As(err, &answer) {
		panic(fmt.Sprintf("expected %d, got %v", code, err))
	}
	equal(answer.ErrorCode, code)
	equal(answer.StatusCode, code/100)
	return answer.Message
}

func main() {
	cl = must(sr.NewClient(sr.URLs(os.Args[1])))

	step("registers, and gets the same ID again", func() {
		made := must(cl.CreateSchema(ctx, "go-visit", text(first)))
		equal(made.Version, 1)
		equal(must(cl.RegisterSchema(ctx, "go-visit", text(first), -1, -1)), made.ID)
		equal(must(cl.CreateSchema(sr.WithParams(ctx, sr.Normalize), "go-visit", text(second))).Version, 2)
		equal(must(cl.SupportedTypes(ctx)), []sr.SchemaType{sr.TypeAvro})
	})

	step("registers with references and lists who refers", func() {
		must(cl.CreateSchema(ctx, "go-money", text(money)))
		references := []sr.SchemaReference{{Name: "conformance.Money", Subject: "go-money", Version: 1}}
		made := must(cl.CreateSchema(ctx, "go-order", sr.Schema{Schema: order, References: references}))
		equal(must(cl.SchemaByID(ctx, made.ID)).References, references)
		referrers := must(cl.SchemaReferences(ctx, "go-money", 1))
		equal(len(referrers) > 0, true)
		for _, referrer := range referrers {
			equal(referrer.ID, made.ID)
		}
		resolved := must(cl.SchemaByID(sr.WithParams(ctx, sr.Format("resolved")), made.ID))
		equal(strings.Contains(resolved.Schema, `"cents"`), true)
	})

	step("reads by ID, by version and the latest", func() {
		version := must(cl.SchemaByVersion(ctx, "go-visit", 1))
		equal(version.Schema.Schema, first)
		equal(must(cl.SchemaByID(ctx, version.ID)).Schema, first)
		equal(must(cl.SchemaTextByID(ctx, version.ID)), first)
		equal(must(cl.SchemaTextByVersion(ctx, "go-visit", 1)), first)
		equal(must(cl.SchemaByVersion(ctx, "go-visit", -1)).Version, 2)
		holds(must(cl.SubjectsByID(ctx, version.ID)), "go-visit")
		equal(slices.Contains(must(cl.SchemaVersionsByID(ctx, version.ID)), sr.SubjectVersion{Subject: "go-visit", Version: 1}), true)
		equal(len(must(cl.Schemas(ctx, "go-visit"))), 2)
		equal(len(must(cl.AllSchemas(sr.WithParams(ctx, sr.SubjectPrefix("go-visit"))))), 2)
	})

	step("reads by GUID", func() {
		version := must(cl.SchemaByVersion(ctx, "go-visit", 1))
		equal(must(cl.SchemaByGUID(ctx, version.GUID)).Schema.Schema, first)
		ids := must(cl.SchemaIDsByGUID(ctx, version.GUID))
		equal(slices.Contains(ids, sr.ContextID{Context: ".", ID: version.ID}), true)
	})

	step("looks up a schema, and is told 40403 when it is not there", func() {
		equal(must(cl.LookupSchema(ctx, "go-visit", text(second))).Version, 2)
		_, err := cl.LookupSchema(ctx, "go-visit", text(record("Unknown", "")))
		refused(err, 40403)
		_, err = cl.SchemaByVersion(ctx, "go-nobody", -1)
		refused(err, 40401)
	})

	step("is told what is compatible and what is not", func() {
		equal(must(cl.CheckCompatibility(ctx, "go-visit", -1, text(second))).Is, true)
		verdict := must(cl.CheckCompatibility(sr.WithParams(ctx, sr.Verbose), "go-visit", 1, text(third)))
		equal(verdict.Is, false)
		equal(strings.Contains(strings.Join(verdict.Messages, ""), "READER_FIELD_MISSING_DEFAULT_VALUE"), true)
		equal(must(cl.CheckCompatibility(sr.WithParams(ctx, sr.Normalize), "go-visit", -2, text(third))).Is, false)
	})

	step("is refused an incompatible schema with its reasons", func() {
		_, err := cl.RegisterSchema(ctx, "go-visit", text(third), -1, -1)
		message := refused(err, 40901)
		equal(strings.Contains(message, "READER_FIELD_MISSING_DEFAULT_VALUE"), true)
	})

	step("sets, reads and deletes settings", func() {
		equal(cl.Compatibility(ctx)[0].Level, sr.CompatBackward)
		equal(cl.SetCompatibility(ctx, sr.SetCompatibility{Level: sr.CompatFull})[0].Err, nil)
		equal(cl.Compatibility(ctx)[0].Level, sr.CompatFull)
		equal(cl.ResetCompatibility(ctx)[0].Err, nil)
		equal(cl.Compatibility(ctx)[0].Level, sr.CompatBackward)
		refused(cl.Compatibility(ctx, "go-config")[0].Err, 40408)
		equal(cl.Compatibility(sr.WithParams(ctx, sr.DefaultToGlobal), "go-config")[0].Level, sr.CompatBackward)
		equal(cl.SetCompatibility(ctx, sr.SetCompatibility{Level: sr.CompatNone, Group: "major", Normalize: true}, "go-config")[0].Err, nil)
		found := cl.Compatibility(ctx, "go-config")[0]
		equal([]any{found.Level, found.Group, found.Normalize, found.Err}, []any{sr.CompatNone, "major", true, nil})
		equal(cl.ResetCompatibility(ctx, "go-config")[0].Err, nil)
		refused(cl.Compatibility(ctx, "go-config")[0].Err, 40408)
	})

	step("sets, reads and deletes modes, and imports an ID", func() {
		equal(cl.Mode(ctx)[0].Mode, sr.ModeReadWrite)
		refused(cl.Mode(ctx, "go-mode")[0].Err, 40409)
		equal(cl.SetMode(ctx, sr.ModeReadOnly, "go-mode")[0].Err, nil)
		equal(cl.Mode(ctx, "go-mode")[0].Mode, sr.ModeReadOnly)
		_, err := cl.RegisterSchema(ctx, "go-mode", text(first), -1, -1)
		refused(err, 42205)
		equal(cl.SetMode(ctx, sr.ModeImport, "go-mode")[0].Err, nil)
		made := must(cl.CreateSchemaWithIDAndVersion(ctx, "go-mode", text(record("Imported", "")), 7001, 4))
		equal([]int{made.ID, made.Version}, []int{7001, 4})
		refused(cl.SetMode(ctx, sr.ModeImport, "go-visit")[0].Err, 42205)
		equal(cl.SetMode(sr.WithParams(ctx, sr.Force), sr.ModeImport, "go-visit")[0].Err, nil)
		equal(cl.ResetMode(ctx, "go-mode", "go-visit")[1].Err, nil)
	})

	step("lists subjects and versions, deleted ones too", func() {
		must(cl.CreateSchema(ctx, "go-list-a", text(first)))
		must(cl.CreateSchema(ctx, "go-list-b", text(first)))
		must(cl.CreateSchema(ctx, "go-list-b", text(second)))
		must(cl.DeleteSubject(ctx, "go-list-a", sr.SoftDelete))
		equal(cl.DeleteSchema(ctx, "go-list-b", 1, sr.SoftDelete), nil)
		listed := sr.SubjectPrefix("go-list-")
		equal(must(cl.Subjects(sr.WithParams(ctx, listed))), []string{"go-list-b"})
		equal(must(cl.Subjects(sr.WithParams(ctx, listed, sr.ShowDeleted))), []string{"go-list-a", "go-list-b"})
		equal(must(cl.Subjects(sr.WithParams(ctx, listed, sr.DeletedOnly))), []string{"go-list-a"})
		equal(must(cl.Subjects(sr.WithParams(ctx, listed, sr.ShowDeleted, sr.Offset(1), sr.Limit(1)))), []string{"go-list-b"})
		equal(must(cl.SubjectVersions(ctx, "go-list-b")), []int{2})
		equal(must(cl.SubjectVersions(sr.WithParams(ctx, sr.ShowDeleted), "go-list-b")), []int{1, 2})
	})

	step("deletes softly, then hard", func() {
		must(cl.CreateSchema(ctx, "go-gone", text(first)))
		refused(cl.DeleteSchema(ctx, "go-gone", 1, sr.HardDelete), 40407)
		equal(cl.DeleteSchema(ctx, "go-gone", 1, sr.SoftDelete), nil)
		refused(cl.DeleteSchema(ctx, "go-gone", 1, sr.SoftDelete), 40406)
		equal(cl.DeleteSchema(ctx, "go-gone", 1, sr.HardDelete), nil)
		must(cl.CreateSchema(ctx, "go-gone", text(first)))
		_, err := cl.DeleteSubject(ctx, "go-gone", sr.HardDelete)
		refused(err, 40405)
		equal(must(cl.DeleteSubject(ctx, "go-gone", sr.SoftDelete)), []int{1})
		equal(must(cl.DeleteSubject(ctx, "go-gone", sr.HardDelete)), []int{1})
		_, err = cl.SubjectVersions(ctx, "go-gone")
		refused(err, 40401)
	})

	step("keeps contexts apart", func() {
		inside := sr.InContext(ctx, ".go")
		made := must(cl.CreateSchema(inside, "visit", text(record("Apart", ""))))
		equal([]any{made.ID, made.Subject}, []any{1, ":.go:visit"})
		equal(must(cl.SchemaByVersion(ctx, ":.go:visit", -1)).ID, 1)
		equal(must(cl.Subjects(inside)), []string{":.go:visit"})
		holds(must(cl.Contexts(ctx)), ".go")
		equal(must(cl.Contexts(sr.WithParams(ctx, sr.ContextPrefix(".go")))), []string{".go"})
		refused(cl.DeleteContext(ctx, ".go"), 42211)
		must(cl.DeleteSubject(inside, "visit", sr.SoftDelete))
		must(cl.DeleteSubject(inside, "visit", sr.HardDelete))
		equal(cl.DeleteContext(ctx, ".go"), nil)
		equal(slices.Contains(must(cl.Contexts(ctx)), ".go"), false)
	})

	step("keeps metadata and rules, and finds by metadata", func() {
		metadata := &sr.SchemaMetadata{
			Tags:       map[string][]string{"**.user": {"PII"}},
			Properties: map[string]string{"major": "1", "owner": "anna"},
			Sensitive:  []string{"owner"},
		}
		rules := &sr.SchemaRuleSet{DomainRules: []sr.SchemaRule{{
			Name: "positive", Kind: sr.SchemaRuleKindCondition, Mode: sr.SchemaRuleModeWrite, Type: "CEL",
			Tags: []string{"PII"}, Expr: "message.step > 0", OnFailure: "ERROR",
		}}}
		must(cl.CreateSchema(ctx, "go-rules", sr.Schema{Schema: first, SchemaMetadata: metadata, SchemaRuleSet: rules}))
		found := must(cl.SchemaByVersion(ctx, "go-rules", -1))
		equal(found.SchemaMetadata, metadata)
		equal(found.SchemaRuleSet, rules)
		var byMetadata sr.SubjectSchema
		equal(cl.Do(sr.WithParams(ctx, sr.RawParams(map[string][]string{"key": {"major"}, "value": {"1"}})),
			"GET", "/subjects/go-rules/metadata", nil, &byMetadata), nil)
		equal(byMetadata.Version, 1)
	})

	step("serializes with registration on the way, and reads it back", func() {
		id := must(cl.CreateSchema(ctx, "go-trip-value", text(first))).ID
		serde := serdeOf(id, first, visit{})
		payload := serde.MustEncode(visit{"anna", 7})
		equal([]any{payload[0], binary.BigEndian.Uint32(payload[1:])}, []any{byte(0), uint32(id)})
		var back visit
		equal(serde.Decode(payload, &back), nil)
		equal(back, visit{"anna", 7})
	})

	step("serializes with the latest version, and reads it back with another", func() {
		must(cl.CreateSchema(ctx, "go-latest-value", text(first)))
		must(cl.CreateSchema(ctx, "go-latest-value", text(second)))
		latest := must(cl.SchemaByVersion(ctx, "go-latest-value", -1))
		payload := serdeOf(latest.ID, latest.Schema.Schema, pageVisit{}).MustEncode(pageVisit{"bert", 1, "/b"})
		id, body, err := new(sr.Serde).DecodeID(payload)
		equal([]any{id, err}, []any{latest.ID, nil})
		writer := avro.MustParse(must(cl.SchemaByID(ctx, id)).Schema)
		reader := must(avro.NewSchemaCompatibility().Resolve(avro.MustParse(first), writer))
		var back visit
		equal(avro.Unmarshal(reader, body, &back), nil)
		equal(back, visit{"bert", 1})
	})
}

func serdeOf(id int, schema string, sample any) *sr.Serde {
	parsed := avro.MustParse(schema)
	serde := new(sr.Serde)
	serde.Register(id, sample,
		sr.EncodeFn(func(value any) ([]byte, error) { return avro.Marshal(parsed, value) }),
		sr.DecodeFn(func(bytes []byte, into any) error { return avro.Unmarshal(parsed, bytes, into) }))
	return serde
}
